//! Does a filter match a topic: section 4.7 of both standards, written for clarity and apart from the engine's own.

/// The filter inside a shared subscription (`$share/group/filter`), or the filter itself.
pub fn unshared(filter: &str) -> &str {
    filter
        .strip_prefix("$share/")
        .and_then(|rest| rest.split_once('/'))
        .map_or(filter, |(_, inner)| inner)
}

/// Whether `filter` (a shared one included) matches `topic`.
pub fn matches(filter: &str, topic: &str) -> bool {
    let filter = unshared(filter);
    // 4.7.2-1: a wildcard at the beginning does not match topics that begin with $.
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for asked in filter.split('/') {
        match (asked, levels.next()) {
            // 4.7.1.2: # matches the parent level and any number of child levels.
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (asked, Some(level)) if asked == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn the_examples_of_the_standard() {
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/score/wimbledon",
                true,
            ),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$share/group/a/#", "a/b", true),
            ("/", "/", true),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} against {topic}");
        }
    }
}
