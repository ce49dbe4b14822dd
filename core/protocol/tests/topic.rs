//! Topic names and filters from outside: validity, matching, and the tree against the plain match.
use leveret_protocol::topic::{
    FilterTree, TopicError, TopicFilter, matches, validate_topic_filter, validate_topic_name,
};
use proptest::prelude::*;

#[test]
fn v311_4_7_3_and_v5_4_7_3_names() {
    let longest = "x".repeat(65_535);
    for name in ["a", "/", "a//b", " ", "$SYS/x", "ä/\u{FEFF}", &longest] {
        assert_eq!(validate_topic_name(name), Ok(()), "{name}");
    }
    let too_long = "x".repeat(65_536);
    let wrong = [
        ("", TopicError::Empty),
        ("a\0b", TopicError::Nul),
        ("\0#", TopicError::Nul),
        ("#", TopicError::WildcardInName),
        ("a/+", TopicError::WildcardInName),
        ("a+b", TopicError::WildcardInName),
        (&too_long, TopicError::TooLong),
    ];
    for (name, error) in wrong {
        assert_eq!(validate_topic_name(name), Err(error), "{name}");
    }
}

#[test]
fn v311_4_7_1_and_v5_4_7_1_filters() {
    for filter in [
        "a",
        "#",
        "+",
        "/",
        "a/#",
        "+/+",
        "a//#",
        "+/a/#",
        "/+",
        "$SYS/#",
        "$shared/a",
    ] {
        assert_eq!(
            validate_topic_filter(filter),
            Ok(TopicFilter {
                share_name: None,
                filter
            }),
            "{filter}"
        );
    }
    let too_long = "x".repeat(65_536);
    let wrong = [
        ("", TopicError::Empty),
        ("a\0", TopicError::Nul),
        ("#/", TopicError::MisplacedHash),
        ("a#", TopicError::MisplacedHash),
        ("a/#/b", TopicError::MisplacedHash),
        ("##", TopicError::MisplacedHash),
        ("a+", TopicError::MisplacedPlus),
        ("++/a", TopicError::MisplacedPlus),
        ("a/+b/c", TopicError::MisplacedPlus),
        (&too_long, TopicError::TooLong),
    ];
    for (filter, error) in wrong {
        assert_eq!(validate_topic_filter(filter), Err(error), "{filter}");
    }
}

#[test]
fn v5_4_8_2_shared_filters() {
    for (text, name, filter) in [
        ("$share/g/a/+", "g", "a/+"),
        ("$share/g//", "g", "/"),
        ("$share/ä/#", "ä", "#"),
    ] {
        assert_eq!(
            validate_topic_filter(text),
            Ok(TopicFilter {
                share_name: Some(name),
                filter
            }),
            "{text}"
        );
    }
    let wrong = [
        ("$share/", TopicError::EmptyShareName),
        ("$share//a", TopicError::EmptyShareName),
        ("$share/g", TopicError::NoFilterInShare),
        ("$share/g/", TopicError::NoFilterInShare),
        ("$share/+/a", TopicError::WildcardInShareName),
        ("$share/g#/a", TopicError::WildcardInShareName),
        ("$share/g\0/a", TopicError::Nul),
        ("$share/g/#/a", TopicError::MisplacedHash),
    ];
    for (filter, error) in wrong {
        assert_eq!(validate_topic_filter(filter), Err(error), "{filter}");
    }
    assert_eq!(
        TopicError::WildcardInName.to_string(),
        "must not contain the wildcard '+' or '#'",
        "the sentence goes on after the argument's name"
    );
}

/// The examples of section 4.7 of the standards, and their neighbours.
const MATCHES: &[(&str, &str, bool)] = &[
    ("sport/tennis/player1/#", "sport/tennis/player1", true),
    (
        "sport/tennis/player1/#",
        "sport/tennis/player1/ranking",
        true,
    ),
    (
        "sport/tennis/player1/#",
        "sport/tennis/player1/score/wimbledon",
        true,
    ),
    ("sport/tennis/player1/#", "sport/tennis/player2", false),
    ("sport/tennis/player1/#", "sport/tennis", false),
    ("sport/#", "sport", true),
    ("#", "sport/tennis", true),
    ("#", "/", true),
    ("sport/tennis/+", "sport/tennis/player1", true),
    ("sport/tennis/+", "sport/tennis/player1/ranking", false),
    ("sport/+", "sport", false),
    ("sport/+", "sport/", true),
    ("+/+", "/finance", true),
    ("/+", "/finance", true),
    ("+", "/finance", false),
    ("+/tennis/#", "sport/tennis", true),
    ("/#", "/", true),
    ("/#", "a", false),
    ("+/#", "a", true),
    ("#", "$SYS/monitor", false),
    ("+/monitor/Clients", "$SYS/monitor/Clients", false),
    ("$SYS/#", "$SYS/monitor", true),
    ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
    ("a/+", "a/$b", true),
    ("a/#", "a/$b", true),
    ("ACCOUNTS", "Accounts", false),
    ("a", "a/", false),
    ("a/", "a", false),
    ("a/b", "a/bc", false),
    ("+/b", "a/b", true),
];

#[test]
fn names_match_filters() {
    for &(filter, name, expected) in MATCHES {
        assert_eq!(matches(filter, name), expected, "{filter} {name}");
        let mut tree = FilterTree::new();
        tree.insert(filter, ());
        let mut found = Vec::new();
        tree.matches(name, &mut found);
        assert_eq!(
            found.len(),
            usize::from(expected),
            "{filter} {name} in a tree"
        );
    }
}

fn found(tree: &FilterTree<u32>, name: &str) -> Vec<u32> {
    let mut found = Vec::new();
    tree.matches(name, &mut found);
    found.sort_unstable();
    found
}

#[test]
fn removal_leaves_the_others() {
    let mut tree = FilterTree::new();
    for (value, filter) in ["a", "a/b", "a/b/c", "a/+", "a/#", "#", "a/b"]
        .into_iter()
        .enumerate()
    {
        tree.insert(filter, value as u32);
    }
    assert_eq!(found(&tree, "a/b"), [1, 3, 4, 5, 6]);
    assert_eq!(tree.remove("a/b", |value| *value == 1), Some(1));
    assert_eq!(tree.remove("a/b", |value| *value == 1), None);
    assert_eq!(found(&tree, "a/b"), [3, 4, 5, 6]);
    assert_eq!(found(&tree, "a/b/c"), [2, 4, 5]);
    assert_eq!(tree.remove("a/b/c", |_| true), Some(2));
    assert_eq!(tree.remove("a/b/c", |_| true), None);
    assert_eq!(tree.remove("x/y", |_| true), None);
    assert_eq!(tree.remove("a/#", |_| true), Some(4));
    assert_eq!(found(&tree, "a"), [0, 5]);
    assert_eq!(found(&tree, "a/b"), [3, 5, 6]);
    for filter in ["a", "a/b", "a/+", "#"] {
        assert!(tree.remove(filter, |_| true).is_some());
    }
    assert!(tree.is_empty());
    assert_eq!(found(&tree, "a/b"), []);
}

#[test]
fn values_of_one_filter_keep_their_order() {
    let mut tree = FilterTree::new();
    for value in [3, 1, 2] {
        tree.insert("a", value);
    }
    let mut found = vec![9];
    tree.matches("a", &mut found);
    assert_eq!(found, [9, 3, 1, 2], "appended to what was there");
    assert_eq!(tree.len(), 3);
}

/// The deepest filter that the wire can bring must not exhaust the stack.
#[test]
fn the_deepest_filters_are_no_danger() {
    let deep = "/".repeat(65_535);
    let deepest = format!("{}+", "+/".repeat(32_767));
    let mut tree = FilterTree::new();
    tree.insert(&deep, 1);
    tree.insert(&deepest, 2);
    assert_eq!(found(&tree, &deep), [1]);
    assert_eq!(found(&tree, &"/".repeat(32_767)), [2]);
    assert_eq!(tree.remove(&deep, |_| true), Some(1));
    assert_eq!(found(&tree, &deep), []);
}

fn level() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "", "$x", "long level"])
}

fn filter() -> impl Strategy<Value = String> {
    let wild = prop_oneof![3 => level(), 2 => Just("+")];
    (prop::collection::vec(wild, 1..5), any::<bool>()).prop_map(|(mut levels, hash)| {
        if hash {
            levels.push("#");
        }
        levels.join("/")
    })
}

proptest! {
    /// A tree that filters come and go in finds what the plain match finds.
    #[test]
    fn the_tree_agrees_with_the_plain_match(
        filters in prop::collection::vec(filter(), 0..30),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        again in prop::collection::vec(filter(), 0..10),
        names in prop::collection::vec(prop::collection::vec(level(), 1..6), 1..10),
    ) {
        let mut tree = FilterTree::new();
        let mut plain: Vec<(String, u32)> = Vec::new();
        let mut next = 0;
        let mut insert = |tree: &mut FilterTree<u32>, plain: &mut Vec<(String, u32)>, filter: String| {
            next += 1;
            tree.insert(&filter, next);
            plain.push((filter, next));
        };
        for filter in filters {
            insert(&mut tree, &mut plain, filter);
        }
        for index in removed {
            if !plain.is_empty() {
                let (filter, value) = plain.remove(index.index(plain.len()));
                prop_assert_eq!(tree.remove(&filter, |held| *held == value), Some(value));
            }
        }
        for filter in again {
            insert(&mut tree, &mut plain, filter);
        }
        prop_assert_eq!(tree.len(), plain.len());
        for name in names {
            let name = name.join("/");
            let expected: Vec<u32> =
                plain.iter().filter(|(filter, _)| matches(filter, &name)).map(|row| row.1).collect();
            prop_assert_eq!(found(&tree, &name), expected, "{}", name);
        }
    }
}
