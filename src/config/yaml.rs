//! YAML text to a layer of values, each with its place in the text.
//!
//! Every scalar stays the text that was written: `secret: 007` is three characters and no number,
//! whatever YAML makes of it.  What type a key has is known to its reader only.

use std::fmt;
use std::sync::Arc;

use figment::value::{Dict, Empty, Tag, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::layer::{Layer, join};
use super::mistake::{Mistake, Place};

/// Parses the text of `file`.
///
/// # Errors
/// The first place that is not YAML, or the beginning if it is not a map.
pub(super) fn parse(file: &Arc<str>, text: &str) -> Result<Layer, Mistake> {
    let options = serde_saphyr::options! { with_snippet: false };
    let root = serde_saphyr::from_str_with_options::<Spanned<Node>>(text, options)
        .map_err(|error| syntax_mistake(file, &error))?;
    let mut lowering = Lowering { file, text, layer: Layer::default() };

    // A list becomes a map as well, and would pass for one here.
    match lowering.lower("", &root) {
        Value::Dict(_, values) if !matches!(root.value, Node::List(_)) => {
            lowering.layer.values = values;
        }
        Value::Empty(..) => {}
        _ => {
            return Err(Mistake {
                place: place(file, root.defined),
                key: String::new(),
                message: "not a map".into(),
            });
        }
    }
    Ok(lowering.layer)
}

/// Parses a list or map given as the text of one variable, `[a, b]` or `{a: 1}`.
pub(super) fn parse_flow(text: &str) -> Option<Value> {
    let file: Arc<str> = "".into();
    let root = serde_saphyr::from_str::<Spanned<Node>>(text).ok()?;
    Some(Lowering { file: &file, text, layer: Layer::default() }.lower("", &root))
}

/// A parsed node before its scalars are cut out of the text.
enum Node {
    Null,
    Text(String),
    /// A plain scalar that YAML takes for a number or a truth value.
    Typed,
    List(Vec<Spanned<Node>>),
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a map")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Typed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Typed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Typed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Typed)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}

/// Turns nodes into values and notes the place of each.
struct Lowering<'a> {
    file: &'a Arc<str>,
    text: &'a str,
    layer: Layer,
}

impl Lowering<'_> {
    /// A list becomes a map of its indexes, so that a layer above can override one entry of it.
    fn lower(&mut self, path: &str, node: &Spanned<Node>) -> Value {
        match &node.value {
            Node::Null => Value::Empty(Tag::Default, Empty::None),
            Node::Text(text) => Value::from(text.clone()),
            Node::Typed => Value::from(self.written(node.defined)),
            Node::List(items) => Value::from(self.lower_list(path, items)),
            Node::Map(entries) => Value::from(self.lower_map(path, entries)),
        }
    }

    fn lower_list(&mut self, path: &str, items: &[Spanned<Node>]) -> Dict {
        let mut values = Dict::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}[{index}]");
            self.layer.places.insert(path.clone(), place(self.file, item.referenced));
            let value = self.lower(&path, item);
            values.insert(index.to_string(), value);
        }
        values
    }

    fn lower_map(&mut self, path: &str, entries: &[(Spanned<String>, Spanned<Node>)]) -> Dict {
        let mut values = Dict::new();
        for (key, node) in entries {
            let path = join(path, &key.value);

            // A list or map begins on the next line: its key is the better place to show.
            let at = match node.value {
                Node::Text(_) | Node::Typed => node.referenced,
                Node::Null | Node::List(_) | Node::Map(_) => key.referenced,
            };

            self.layer.places.insert(path.clone(), place(self.file, at));
            let value = self.lower(&path, node);
            values.insert(key.value.clone(), value);
        }
        values
    }

    /// The scalar as the text has it.
    fn written(&self, at: Location) -> String {
        let span = at.span();
        let range = span.byte_offset().zip(span.byte_len()).and_then(|(from, length)| {
            let from = usize::try_from(from).ok()?;
            Some(from..from.checked_add(usize::try_from(length).ok()?)?)
        });
        range.and_then(|range| self.text.get(range)).unwrap_or_default().trim().to_owned()
    }
}

fn place(file: &Arc<str>, at: Location) -> Place {
    if at == Location::UNKNOWN {
        return Place::Whole(Arc::clone(file));
    }
    Place::At { file: Arc::clone(file), line: at.line(), column: at.column() }
}

/// The parser's message, without the place, which precedes it anyway, and without advice for
/// programmers.
fn syntax_mistake(file: &Arc<str>, error: &serde_saphyr::Error) -> Mistake {
    let at = error.location().unwrap_or(Location::UNKNOWN);

    let message = match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("duplicate key {key}")
        }
        serde_saphyr::Error::MultipleDocuments { .. } => {
            "a second document begins: only one is read".to_owned()
        }
        other => {
            let text = other.to_string();
            let suffix = format!(" at line {}, column {}", at.line(), at.column());
            text.strip_suffix(&suffix).unwrap_or(&text).to_owned()
        }
    };

    Mistake { place: place(file, at), key: String::new(), message }
}
