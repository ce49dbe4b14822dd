//! The fuzzer's bytes as a source of decisions: numbers, choices, texts. At its end everything is zero.

/// What is left of one input.
#[derive(Clone, Debug)]
pub struct Feed<'a> {
    rest: &'a [u8],
}

impl<'a> Feed<'a> {
    /// All of an input.
    pub fn new(input: &'a [u8]) -> Feed<'a> {
        Feed { rest: input }
    }

    /// Nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((&first, rest)) => {
                self.rest = rest;
                first
            }
            None => 0,
        }
    }

    /// A number of two bytes.
    pub fn pair(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// True for odd bytes.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `bound`, which is at most 256; 0 for a bound of 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    /// One of the choices.
    pub fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    /// A number of `low..=high`: an end of it, one near to it, or any.
    pub fn number(&mut self, low: u64, high: u64) -> u64 {
        let span = high - low;
        low + match self.byte() {
            0..=15 => 0,
            16..=31 => span,
            32..=63 => 1.min(span),
            64..=159 => u64::from(self.byte()).min(span),
            160..=223 => u64::from(self.pair()).min(span),
            _ => {
                let wide = u64::from(self.pair()) << 16 | u64::from(self.pair());
                if span == u64::MAX {
                    wide
                } else {
                    wide % (span + 1)
                }
            }
        }
    }

    /// The next bytes, as many as are wanted or left.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Everything that is left.
    pub fn remainder(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
}
