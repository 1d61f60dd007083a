use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task;

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::{Answer, Subscription};

/// `GET /poll`: a subscriber until it is answered.
#[derive(Debug)]
pub struct Poll<M> {
    subscription: Subscription<M, ()>,
    limit_bytes: usize,
}

impl<M> Poll<M> {
    pub(crate) fn new(subscription: Subscription<M, ()>, limit_bytes: usize) -> Self {
        Self { subscription, limit_bytes }
    }

    /// The answer: all publications that there are, as soon as there are any; none if `patience` ends before.
    pub async fn answer(mut self, patience: impl Future<Output = ()>) -> Answer {
        let mut patience = pin!(patience);
        loop {
            if let Some(answer) = self.try_answer() {
                return answer;
            }
            let mut news = pin!(self.subscription.place.wait_for_news());
            let is_over = poll_fn(|context| match news.as_mut().poll(context) {
                task::Poll::Ready(()) => task::Poll::Ready(false),
                task::Poll::Pending => patience.as_mut().poll(context).map(|()| true),
            });
            if is_over.await {
                return Answer::no_content();
            }
        }
    }

    /// The answer, if there is a publication. For an event loop that is no future: it answers with
    /// [`Answer::no_content`] when the time is over.
    pub fn try_answer(&mut self) -> Option<Answer> {
        let mut publications: Vec<Bytes> = Vec::new();
        // The brackets, and with each publication a comma or the one bracket.
        let mut length_bytes = 1;
        self.subscription.place.catch_up(|publication| {
            length_bytes += publication.json.len() + 1;
            let fits = publications.is_empty() || length_bytes <= self.limit_bytes;
            if fits {
                publications.push(publication.json.clone());
            }
            fits
        });
        if publications.is_empty() {
            return None;
        }
        Some(Answer { status: 200, body: array(&publications) })
    }
}

/// A JSON array of values that are JSON already.
pub(crate) fn array(values: &[Bytes]) -> Bytes {
    let mut array = BytesMut::with_capacity(values.iter().map(|value| value.len() + 1).sum::<usize>() + 1);
    for (index, value) in values.iter().enumerate() {
        array.put_u8(if index == 0 { b'[' } else { b',' });
        array.put_slice(value);
    }
    array.put_u8(b']');
    array.freeze()
}
