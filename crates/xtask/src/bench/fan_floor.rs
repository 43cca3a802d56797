//! The null responder's subscribers: what a message to many costs on this kernel when a server does
//! nothing for it but send it.
//!
//! It knows the requests of the bench of sessions alone: channels are numbers at the end of a name
//! of fixed length, so that nothing has to be looked up, all requests are of one length, and a
//! message is as long as the request that publishes it. Messages in a row of one channel are sent
//! together.

const SUBSCRIBE: &[u8] = b"*2\r\n$9\r\nSUBSCRIBE\r\n$16\r\nchannel:";
const PUBLISH: &[u8] = b"*3\r\n$7\r\nPUBLISH\r\n$16\r\nchannel:";
const DIGITS: usize = 8;
/// Where the word stands that makes a message of a request, and which one.
const WORD: usize = 8;
const MESSAGE: &[u8] = b"message";

/// Who listens to which channel, and what of the publisher's input is not whole yet.
#[derive(Default)]
pub(super) struct Fan {
    audiences: Vec<Vec<usize>>,
    rest: Vec<u8>,
    message: Vec<u8>,
}

impl Fan {
    /// Notes that a peer is a subscriber, if that is what it wants to be.
    pub(super) fn join(&mut self, input: &[u8], peer: usize) {
        let Some(channel) = number(input, SUBSCRIBE) else { return };
        if self.audiences.len() <= channel {
            self.audiences.resize_with(channel + 1, Vec::new);
        }
        self.audiences[channel].push(peer);
    }

    /// Has `send` give the peers what the publisher wants them to get; the answers to it, `None`
    /// when the input is not a publisher's.
    pub(super) fn publish(
        &mut self,
        input: &[u8],
        mut send: impl FnMut(usize, &[u8]),
    ) -> Option<Vec<u8>> {
        if self.rest.is_empty() && !input.starts_with(PUBLISH) {
            return None;
        }
        self.rest.extend_from_slice(input);
        let Some(size) = size(&self.rest) else { return Some(Vec::new()) };
        let mut answers = Vec::new();
        let mut requests = self.rest.chunks_exact(size).peekable();
        while let Some(first) = requests.next() {
            let channel = number(first, PUBLISH);
            let audience = channel.and_then(|channel| self.audiences.get(channel));
            let audience = audience.map_or(&[][..], Vec::as_slice);
            let answer = format!(":{}\r\n", audience.len());
            self.message.clear();
            let mut next = Some(first);
            while let Some(request) = next {
                let begin = self.message.len();
                self.message.extend_from_slice(request);
                self.message[begin + WORD..begin + WORD + MESSAGE.len()].copy_from_slice(MESSAGE);
                answers.extend_from_slice(answer.as_bytes());
                next = requests.next_if(|next| number(next, PUBLISH) == channel);
            }
            audience.iter().for_each(|peer| send(*peer, &self.message));
        }
        let done = self.rest.len() / size * size;
        self.rest.drain(..done);
        Some(answers)
    }
}

/// The number of the channel in a request that begins like this.
fn number(request: &[u8], beginning: &[u8]) -> Option<usize> {
    let digits = request.strip_prefix(beginning)?.get(..DIGITS)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// How long the first request is: its last argument's length stands in front of that.
fn size(requests: &[u8]) -> Option<usize> {
    let head = PUBLISH.len() + DIGITS + b"\r\n$".len();
    let rest = requests.get(head..)?;
    let end = rest.iter().position(|byte| *byte == b'\r')?;
    let len: usize = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    Some(head + end + b"\r\n".len() + len + b"\r\n".len())
}

#[cfg(test)]
mod tests;
