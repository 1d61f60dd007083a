/// Names one value of a [`Slab`], and never another that comes to lie in the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token {
    index: u32,
    generation: u32,
}

impl Token {
    /// For what epoll reports with each event.
    pub(crate) fn to_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    pub(crate) fn from_u64(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// Values in one piece of memory. An event for a connection that was closed a moment before, in the same
/// batch of events, finds nothing, instead of the connection that took its place.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn insert(&mut self, value: T) -> Token {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, value: None });
            (self.places.len() - 1) as u32
        });
        let place = &mut self.places[index as usize];
        place.value = Some(value);
        Token { index, generation: place.generation }
    }

    pub(crate) fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        let place = self.places.get_mut(token.index as usize)?;
        if place.generation == token.generation { place.value.as_mut() } else { None }
    }

    pub(crate) fn remove(&mut self, token: Token) {
        if self.get_mut(token).is_some() {
            let place = &mut self.places[token.index as usize];
            place.value = None;
            place.generation = place.generation.wrapping_add(1);
            self.free.push(token.index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Slab, Token};

    #[test]
    fn a_token_never_names_what_came_later() {
        let mut slab = Slab::new();
        let first = slab.insert("first");
        slab.remove(first);
        slab.remove(first);
        let second = slab.insert("second");
        let third = slab.insert("third");
        assert_eq!(slab.get_mut(first), None);
        assert_eq!(slab.get_mut(Token::from_u64(second.to_u64())), Some(&mut "second"));
        assert_eq!(slab.get_mut(third), Some(&mut "third"));
        assert_eq!(slab.places.len(), 2, "the place was used again");
    }
}
