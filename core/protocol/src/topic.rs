//! Topic names and filters: validity, matching, and the tree that finds the filters which match a name.
use crate::checked;
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use core::fmt;

/// The most bytes that a topic name or filter can have (MQTT 5.0 section 4.7.3).
pub const MAX_TOPIC_LENGTH: usize = 65_535;

const SHARE_PREFIX: &str = "$share/";

/// What is wrong with a topic name or topic filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicError {
    /// It has no character (MQTT-4.7.3-1).
    Empty,
    /// It has more than 65,535 bytes (MQTT-4.7.3-3).
    TooLong,
    /// It contains U+0000 (MQTT-4.7.3-2).
    Nul,
    /// A topic name contains `+` or `#` (MQTT-3.3.2-2).
    WildcardInName,
    /// A `#` is not the last level, or not alone in it (MQTT 5.0 MQTT-4.7.1-1).
    MisplacedHash,
    /// A `+` is not alone in its level (MQTT 5.0 MQTT-4.7.1-2).
    MisplacedPlus,
    /// A shared filter has no share name (MQTT-4.8.2-1).
    EmptyShareName,
    /// The share name of a shared filter contains `+` or `#` (MQTT-4.8.2-2).
    WildcardInShareName,
    /// A shared filter has no filter after its share name (MQTT-4.8.2-2).
    NoFilterInShare,
}

impl TopicError {
    /// What is wrong, as the end of a sentence that begins with the topic or the argument's name.
    pub const fn text(self) -> &'static str {
        match self {
            TopicError::Empty => "must have at least one character",
            TopicError::TooLong => "must have at most 65,535 bytes",
            TopicError::Nul => "must not contain U+0000",
            TopicError::WildcardInName => "must not contain the wildcard '+' or '#'",
            TopicError::MisplacedHash => "must have '#' only as its last level, alone",
            TopicError::MisplacedPlus => "must have '+' only as a whole level",
            TopicError::EmptyShareName => {
                "must have a share name of at least one character after '$share/'"
            }
            TopicError::WildcardInShareName => {
                "must not have the wildcard '+' or '#' in its share name"
            }
            TopicError::NoFilterInShare => {
                "must have a topic filter after '$share/' and the share name"
            }
        }
    }
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for TopicError {}

/// Checks a topic name: something that is published to (section 4.7 of both standards).
#[inline]
pub fn validate_topic_name(name: &str) -> Result<(), TopicError> {
    check_length(name, TopicError::Empty)?;
    if !has_wildcard_or_nul(name.as_bytes()) {
        return Ok(());
    }
    match name.contains('\0') {
        true => Err(TopicError::Nul),
        false => Err(TopicError::WildcardInName),
    }
}

/// Whether a byte is 0, `+` or `#`. Looks at eight bytes at a time, since every publish comes through here.
fn has_wildcard_or_nul(bytes: &[u8]) -> bool {
    const LOW_BITS: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = LOW_BITS << 7;
    // The classic test of a word for a zero byte: only that borrows into a high bit that was not set.
    let zeros = |word: u64| word.wrapping_sub(LOW_BITS) & !word & HIGH_BITS;
    // `+` and `#` differ in one bit, which is masked out.
    let wildcards = |word: u64| zeros((word & !(0x08 * LOW_BITS)) ^ (0x23 * LOW_BITS));
    let wrong = |chunk: [u8; 8]| {
        let word = u64::from_le_bytes(chunk);
        zeros(word) | wildcards(word) != 0
    };
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().any(|byte| matches!(byte, 0 | b'+' | b'#'));
    };
    for chunk in bytes.as_chunks().0 {
        if wrong(*chunk) {
            return true;
        }
    }
    wrong(*last) // overlaps those before it where the length is no multiple of eight
}

/// A topic filter in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicFilter<'a> {
    /// Share name of a shared subscription (MQTT 5.0 section 4.8.2); `None` for an ordinary one.
    pub share_name: Option<&'a str>,
    /// The filter that topic names are matched with: the whole, or what follows the share name.
    pub filter: &'a str,
}

/// Checks a topic filter: something that is subscribed to. `$share/name/filter` is taken apart, also for
/// MQTT 3.1.1, whose servers offer shared subscriptions as an extension.
pub fn validate_topic_filter(filter: &str) -> Result<TopicFilter<'_>, TopicError> {
    check_length(filter, TopicError::Empty)?;
    let parts = match filter.strip_prefix(SHARE_PREFIX) {
        None => TopicFilter {
            share_name: None,
            filter,
        },
        Some(shared) => {
            let (name, filter) = shared.split_once('/').unwrap_or((shared, ""));
            check_length(name, TopicError::EmptyShareName)?;
            if name.contains(['+', '#']) {
                return Err(TopicError::WildcardInShareName);
            }
            check_length(filter, TopicError::NoFilterInShare)?;
            TopicFilter {
                share_name: Some(name),
                filter,
            }
        }
    };
    if filter.contains('\0') {
        return Err(TopicError::Nul);
    }
    check_wildcards(parts.filter)?;
    Ok(parts)
}

fn check_length(text: &str, if_empty: TopicError) -> Result<(), TopicError> {
    match text.len() {
        0 => Err(if_empty),
        1..=MAX_TOPIC_LENGTH => Ok(()),
        _ => Err(TopicError::TooLong),
    }
}

fn check_wildcards(filter: &str) -> Result<(), TopicError> {
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        if level.contains('#') && (level != "#" || levels.peek().is_some()) {
            return Err(TopicError::MisplacedHash);
        }
        if level.contains('+') && level != "+" {
            return Err(TopicError::MisplacedPlus);
        }
    }
    Ok(())
}

/// Whether a topic name matches a topic filter (section 4.7 of both standards). Both must be valid, and the filter
/// must be the one inside a shared filter. Wildcards at the first level do not match names that begin with `$`.
pub fn matches(filter: &str, name: &str) -> bool {
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut names = name.split('/');
    for level in filter.split('/') {
        if level == "#" {
            return true; // also the parent itself: `a/#` matches `a`
        }
        match names.next() {
            Some(name) if level == "+" || level == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

/// Values under topic filters, found by topic name in time that depends on the levels of the name, not on the number
/// of filters. A filter can hold several values; a name can match several filters.
///
/// Nodes stand in one vector rather than in boxes within boxes, so that no filter is deep enough to exhaust the stack.
#[derive(Clone, Debug)]
pub struct FilterTree<T> {
    nodes: Vec<Node<T>>, // the first is the root, which is always there
    free: Vec<usize>,    // nodes to be used again
    values: usize,
}

/// One level of a filter, below the levels before it.
#[derive(Clone, Debug)]
struct Node<T> {
    parent: usize,
    level: Box<str>,
    children: BTreeMap<Box<str>, usize>, // `+` is a child like any other
    here: Vec<T>,                        // values of the filter that ends with this level
    below: Vec<T>,                       // values of the filter that goes on with `#`
}

const ROOT: usize = 0;

impl<T> Node<T> {
    fn new(parent: usize, level: &str) -> Node<T> {
        Node {
            parent,
            level: level.into(),
            children: BTreeMap::new(),
            here: Vec::new(),
            below: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.here.is_empty() && self.below.is_empty()
    }

    fn values(&mut self, below: bool) -> &mut Vec<T> {
        if below {
            &mut self.below
        } else {
            &mut self.here
        }
    }
}

impl<T> Default for FilterTree<T> {
    fn default() -> Self {
        FilterTree::new()
    }
}

impl<T> FilterTree<T> {
    /// A tree without filters.
    pub fn new() -> Self {
        FilterTree {
            nodes: Vec::from([Node::new(ROOT, "")]),
            free: Vec::new(),
            values: 0,
        }
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.values
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.values == 0
    }

    /// Puts a value under a filter, behind those that are there. The filter must be valid and without `$share`.
    pub fn insert(&mut self, filter: &str, value: T) {
        let (levels, below) = split_hash(filter);
        let mut at = ROOT;
        for level in levels {
            at = match self.child(at, level) {
                Some(child) => child,
                None => self.add_child(at, level),
            };
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.values(below).push(value);
            self.values = self.values.saturating_add(1);
        }
    }

    /// Takes the first value under exactly this filter for which `is_it` holds; other filters stay as they are.
    pub fn remove(&mut self, filter: &str, is_it: impl FnMut(&T) -> bool) -> Option<T> {
        let (levels, below) = split_hash(filter);
        let mut at = ROOT;
        for level in levels {
            at = self.child(at, level)?;
        }
        let values = self.nodes.get_mut(at)?.values(below);
        let index = values.iter().position(is_it)?;
        let value = checked::remove(values, index)?;
        self.values = self.values.saturating_sub(1);
        self.prune(at);
        Some(value)
    }

    /// Calls `found` with each value whose filter matches the topic name.
    fn for_each_match<'a>(&'a self, name: &str, mut found: impl FnMut(&'a T)) {
        let mut nodes = Vec::from([ROOT]); // the nodes that the levels so far lead to
        let mut next = Vec::new();
        let no_wildcards = name.starts_with('$'); // at the first level
        for (depth, level) in name.split('/').enumerate() {
            let wildcards = depth > 0 || !no_wildcards;
            for node in
                checked::drain(&mut nodes, usize::MAX).filter_map(|node| self.nodes.get(node))
            {
                if wildcards {
                    node.below.iter().for_each(&mut found);
                    next.extend(node.children.get("+"));
                }
                if level != "+" {
                    next.extend(node.children.get(level));
                }
            }
            if next.is_empty() {
                return;
            }
            core::mem::swap(&mut nodes, &mut next);
        }
        for node in nodes.into_iter().filter_map(|node| self.nodes.get(node)) {
            node.below.iter().chain(&node.here).for_each(&mut found);
        }
    }

    fn child(&self, parent: usize, level: &str) -> Option<usize> {
        self.nodes.get(parent)?.children.get(level).copied()
    }

    fn add_child(&mut self, parent: usize, level: &str) -> usize {
        let node = Node::new(parent, level);
        let index = self.free.pop().unwrap_or(self.nodes.len());
        match self.nodes.get_mut(index) {
            Some(unused) => *unused = node,
            None => self.nodes.push(node),
        }
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.children.insert(level.into(), index);
        }
        index
    }

    /// Gives up this node and those above it as far as they hold nothing.
    fn prune(&mut self, mut at: usize) {
        while at != ROOT {
            let Some(node) = self.nodes.get_mut(at).filter(|node| node.is_empty()) else {
                return;
            };
            let (parent, level) = (node.parent, core::mem::take(&mut node.level));
            self.free.push(at);
            if let Some(parent) = self.nodes.get_mut(parent) {
                parent.children.remove(&level);
            }
            at = parent;
        }
    }
}

impl<T: Clone> FilterTree<T> {
    /// Appends to `found` each value whose filter matches the topic name, in an order that is always the same for
    /// the same tree. `a/#` matches `a` too; wildcards at the first level do not match names that begin with `$`.
    pub fn matches(&self, name: &str, found: &mut Vec<T>) {
        self.for_each_match(name, |value| found.push(value.clone()));
    }
}

/// The levels of a filter without a last `#`, and whether there was one.
fn split_hash(filter: &str) -> (impl Iterator<Item = &str>, bool) {
    let (levels, below) = match filter.strip_suffix('#') {
        Some(rest) => (rest.strip_suffix('/'), true),
        None => (Some(filter), false),
    };
    (
        levels.into_iter().flat_map(|levels| levels.split('/')),
        below,
    )
}
