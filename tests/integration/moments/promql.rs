//! As much of PromQL as the rule files use: what each operator has on its two sides.

/// An expression.
pub(super) enum Expr {
    /// A number or a text.
    Constant,
    /// A series by its name, with its range and offset as they are written.
    Selector { name: String, range: String, offset: String },
    /// Two expressions, and what stands between them.
    Binary { operator: String, sides: [Box<Expr>; 2] },
    /// A function or an aggregation.
    Call { function: String, arguments: Vec<Expr> },
}

impl Expr {
    /// Reads a whole expression.
    ///
    /// # Panics
    ///
    /// At what is no PromQL, or more of it than the rule files use.
    pub(super) fn parse(text: &str) -> Self {
        let mut parser = Parser { rest: text.trim_start() };
        let parsed = parser.binary(0);
        assert!(parser.rest.is_empty(), "not understood: {} in {text}", parser.rest);
        parsed
    }

    /// This expression and all inside it.
    pub(super) fn all(&self) -> Vec<&Self> {
        let inside: Vec<&Self> = match self {
            Self::Constant | Self::Selector { .. } => Vec::new(),
            Self::Binary { sides, .. } => sides.iter().map(AsRef::as_ref).collect(),
            Self::Call { arguments, .. } => arguments.iter().collect(),
        };
        std::iter::once(self).chain(inside.into_iter().flat_map(Self::all)).collect()
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Operators of this precedence and all that bind more strongly.
    fn binary(&mut self, level: usize) -> Expr {
        let Some(operators) = PRECEDENCE.get(level) else { return self.primary() };
        let mut left = self.binary(level + 1);

        while let Some(operator) = operators.iter().find(|operator| self.is_next(operator)) {
            self.skip(operator.len());
            self.skip_matching();
            let right = self.binary(level + 1);
            let sides = [Box::new(left), Box::new(right)];
            left = Expr::Binary { operator: (*operator).to_owned(), sides };
        }

        left
    }

    /// `on (…)`, `group_left (…)` and `bool` do not say what is read.
    fn skip_matching(&mut self) {
        while let Some(word) = MATCHING.iter().find(|word| self.is_next(word)) {
            self.skip(word.len());
            if self.rest.starts_with('(') {
                self.skip_to(')');
            }
        }
    }

    fn primary(&mut self) -> Expr {
        if self.rest.starts_with('(') {
            self.skip(1);
            let inside = self.binary(0);
            assert!(self.rest.starts_with(')'), "no ) before {}", self.rest);
            self.skip(1);
            return inside;
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            self.take(|c| c.is_ascii_digit() || ".-eE".contains(c));
            return Expr::Constant;
        }
        if self.rest.starts_with('"') {
            self.skip(1);
            self.skip_to('"');
            return Expr::Constant;
        }

        let name = self.take(is_of_a_name).to_owned();
        assert!(!name.is_empty(), "an operand is missing before {}", self.rest);
        if AGGREGATIONS.contains(&name.as_str()) && !self.rest.starts_with('(') {
            self.skip_matching_of_aggregation();
        }
        if self.rest.starts_with('(') { self.call(name) } else { self.selector(name) }
    }

    fn skip_matching_of_aggregation(&mut self) {
        let word = self.take(is_of_a_name);
        assert!(["by", "without"].contains(&word), "{word} is neither by nor without");
        self.skip_to(')');
    }

    fn call(&mut self, function: String) -> Expr {
        self.skip(1);
        let mut arguments = Vec::new();

        while !self.rest.starts_with(')') {
            arguments.push(self.binary(0));
            if self.rest.starts_with(',') {
                self.skip(1);
            }
        }

        self.skip(1);
        Expr::Call { function, arguments }
    }

    fn selector(&mut self, name: String) -> Expr {
        if self.rest.starts_with('{') {
            self.skip_to('}');
        }

        let mut range = String::new();
        if self.rest.starts_with('[') {
            range = self.skip_to(']').to_owned();
        }

        let mut offset = String::new();
        if self.is_next("offset") {
            self.skip("offset".len());
            offset = self.take(|c| c.is_ascii_alphanumeric()).to_owned();
        }

        Expr::Selector { name, range, offset }
    }

    /// Whether an operator or a word is next, and not only the beginning of a longer one.
    fn is_next(&self, word: &str) -> bool {
        let Some(after) = self.rest.strip_prefix(word) else { return false };
        let longer = if word.ends_with(is_of_a_name) { is_of_a_name } else { |c| c == '=' };
        word.ends_with('=') || !after.starts_with(longer)
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }

    fn skip_to(&mut self, end: char) -> &'a str {
        let at = self.rest.find(end).unwrap_or_else(|| panic!("no {end} after {}", self.rest));
        let skipped = &self.rest[..=at];
        self.skip(at + 1);
        skipped
    }

    fn take(&mut self, wanted: fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let taken = &self.rest[..end];
        self.skip(end);
        taken
    }
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// From the weakest to the strongest.
const PRECEDENCE: [&[&str]; 5] = [
    &["or"],
    &["and", "unless"],
    &["==", "!=", "<=", ">=", "<", ">"],
    &["+", "-"],
    &["*", "/", "%"],
];
const MATCHING: [&str; 5] = ["on", "ignoring", "group_left", "group_right", "bool"];
const AGGREGATIONS: [&str; 6] = ["sum", "min", "max", "avg", "count", "count_values"];
