//! The client on tokio: one task has the connection, handles send it what is to be run.
//!
//! Invariant: a command whose caller gave up before the task took it is never sent, so that a
//! timeout tells the truth about it.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use resp::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::address::Endpoint;
use crate::backoff::Backoff;
use crate::command::Unit;
use crate::config::Config;
use crate::error::{Error, Fate, Result};
use crate::push::{Message, Push};
use crate::request::{Request, refusal};
use crate::session::{Event, Session, Ticket};

/// Orders that wait for the task; senders wait when there are more.
const ORDERS_MAX: usize = 1024;

/// Pushes that a slow reader may be behind; then it is told of a gap.
const PUSHES_MAX: usize = 4096;

const READ_SIZE: usize = 64 * 1024;

/// A client for many tasks at once: clones share one connection, whose commands travel together.
///
/// Commands that make the server wait, such as BLPOP, belong on a client of their own.
///
/// ```no_run
/// # async fn example() -> client::Result<()> {
/// use client::{AsyncClient, cmd};
///
/// let client = AsyncClient::open("redis://127.0.0.1").await?;
/// client.run(cmd::set("greeting", "hello")).await?;
/// let (a, b) = client.run((cmd::get("greeting"), cmd::incr("visits"))).await;
/// # let _ = (a?, b?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AsyncClient {
    orders: mpsc::Sender<Vec<Order>>,
    pushes: broadcast::Sender<Push>,
    limit: Option<Duration>,
}

/// The pushes of a client, from the moment in which this was made.
#[derive(Debug)]
pub struct Messages(broadcast::Receiver<Push>);

/// One unit, and who waits for its answer.
#[derive(Debug)]
struct Order {
    unit: Unit,
    state: Arc<AtomicU8>,
    answer: oneshot::Sender<Result<Value>>,
}

/// States of an order: it goes from the first to one of the others, and stays there.
const OPEN: u8 = 0;
const TAKEN: u8 = 1;
const GIVEN_UP: u8 = 2;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl AsyncClient {
    /// A client of the server at this address; connects, so that a wrong address shows here.
    ///
    /// # Errors
    /// As [`crate::Client::open`].
    pub async fn open(address: &str) -> Result<AsyncClient> {
        AsyncClient::with(Config::parse(address)?).await
    }

    /// As [`AsyncClient::open`], with every option. Must be called within a runtime.
    ///
    /// # Errors
    /// As [`crate::Client::open`].
    pub async fn with(config: Config) -> Result<AsyncClient> {
        let mut session = Session::new(config.setup());
        if config.cache_entries_max > 0 {
            session.set_cache(config.cache_entries_max);
        }
        let (orders, taken) = mpsc::channel(ORDERS_MAX);
        let (pushes, _) = broadcast::channel(PUSHES_MAX);
        let limit = config.response_timeout;
        let backoff = Backoff::new(config.backoff_first, config.backoff_max);
        let mut driver = Driver {
            config,
            session,
            backoff,
            orders: taken,
            pushes: pushes.clone(),
            answers: HashMap::new(),
            reason: String::new(),
        };
        let stream = driver.connect().await?;
        tokio::spawn(driver.run(stream));
        Ok(AsyncClient { orders, pushes, limit })
    }

    /// Runs a command, a pipeline, a transaction or a script call. Dropping the future does not
    /// take back what was sent.
    pub async fn run<R: Request>(&self, request: R) -> R::Output {
        let mut units = Vec::new();
        request.units(&mut units);
        let mut orders = Vec::with_capacity(units.len());
        let mut waits = Vec::with_capacity(units.len());
        for unit in units {
            let (answer, wait) = oneshot::channel();
            let state = Arc::new(AtomicU8::new(OPEN));
            waits.push((Arc::clone(&state), wait));
            orders.push(Order { unit, state, answer });
        }
        let end = self.limit.map(|limit| Instant::now() + limit);
        let sent = within(end, self.orders.send(orders)).await;
        let mut answers = Vec::with_capacity(waits.len());
        for (state, wait) in waits {
            answers.push(match (&sent, within(end, wait).await) {
                (_, Some(Ok(answer))) => answer,
                (Some(Ok(())), None) => Err(Error::Timeout { fate: give_up(&state) }),
                (None, _) => Err(Error::Timeout { fate: Fate::DidNotRun }),
                (_, _) => {
                    let reason = "the client was stopped".to_owned();
                    Err(Error::Lost { fate: give_up(&state), reason })
                }
            });
        }
        request.output(&mut answers.into_iter())
    }

    /// Receives pushes from now on: messages of subscriptions, invalidations.
    #[must_use]
    pub fn messages(&self) -> Messages {
        Messages(self.pushes.subscribe())
    }
}

impl Messages {
    /// The next push; `None` once the client is gone.
    pub async fn next_push(&mut self) -> Option<Push> {
        match self.0.recv().await {
            Ok(push) => Some(push),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Push::Gap),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// The next published message; other pushes are dropped.
    pub async fn next_message(&mut self) -> Option<Message> {
        loop {
            if let Push::Message(message) = self.next_push().await? {
                return Some(message);
            }
        }
    }
}

/// What is known of an order for which nobody waits any more.
fn give_up(state: &AtomicU8) -> Fate {
    match state.compare_exchange(OPEN, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Fate::DidNotRun,
        Err(_) => Fate::MayHaveRun,
    }
}

async fn within<F: Future>(end: Option<Instant>, future: F) -> Option<F::Output> {
    match end {
        Some(end) => timeout_at(end, future).await.ok(),
        None => Some(future.await),
    }
}

/// The task that has the connection.
struct Driver {
    config: Config,
    session: Session,
    backoff: Backoff,
    orders: mpsc::Receiver<Vec<Order>>,
    pushes: broadcast::Sender<Push>,
    answers: HashMap<Ticket, oneshot::Sender<Result<Value>>>,
    /// Why the last connection broke.
    reason: String,
}

impl Driver {
    /// Until every handle is gone.
    async fn run(mut self, stream: Box<dyn Stream>) {
        let mut stream = stream;
        while let Err(error) = self.converse(&mut *stream).await {
            self.reason = error.to_string();
            self.session.lost();
            self.settle();
            stream = loop {
                match self.connect().await {
                    Ok(stream) => break stream,
                    Err(error) => {
                        self.fail_all(&error);
                        if self.orders.is_closed() && self.orders.is_empty() {
                            return;
                        }
                    }
                }
            };
        }
    }

    /// Moves bytes and orders until the connection breaks; `Ok` once nobody is left.
    async fn converse(&mut self, stream: &mut dyn Stream) -> io::Result<()> {
        let mut buffer = vec![0; READ_SIZE];
        let (mut reader, mut writer) = tokio::io::split(stream);
        self.settle();
        loop {
            let writing = !self.session.outgoing().is_empty();
            let answered = self.answers.is_empty() && !writing;
            tokio::select! {
                read = reader.read(&mut buffer) => {
                    let count = read?;
                    if count == 0 {
                        return Err(io::Error::other("the server closed the connection"));
                    }
                    self.session.received(&buffer[..count]).map_err(io::Error::other)?;
                }
                written = writer.write(self.session.outgoing()), if writing => {
                    self.session.handed(written?);
                }
                orders = self.orders.recv(), if !self.orders.is_closed() || answered => {
                    match orders {
                        Some(orders) => self.take(orders),
                        None if answered => return Ok(()),
                        None => {}
                    }
                }
            }
            self.settle();
        }
    }

    fn take(&mut self, orders: Vec<Order>) {
        for Order { unit, state, answer } in orders {
            let taken = state.compare_exchange(OPEN, TAKEN, Ordering::AcqRel, Ordering::Acquire);
            if taken.is_ok() {
                let ticket = self.session.submit(unit);
                self.answers.insert(ticket, answer);
            }
        }
    }

    /// Tells what happened. Where nobody listens there is nobody to tell.
    fn settle(&mut self) {
        while let Some(event) = self.session.event() {
            match event {
                Event::Reply(ticket, value) => {
                    self.answers.remove(&ticket).map(|answer| answer.send(Ok(value)));
                }
                Event::Failed(ticket, fate) => {
                    let error = Error::Lost { fate, reason: self.reason.clone() };
                    self.answers.remove(&ticket).map(|answer| answer.send(Err(error)));
                }
                Event::Push(push) => drop(self.pushes.send(push)),
                Event::Ready => {}
            }
        }
    }

    /// Everybody who waits learns why there is no connection.
    fn fail_all(&mut self, error: &Error) {
        self.reason = error.to_string();
        while let Ok(orders) = self.orders.try_recv() {
            self.take(orders);
        }
        self.session.give_up();
        self.settle();
    }

    /// Connects and greets, again and again until the limit.
    async fn connect(&mut self) -> Result<Box<dyn Stream>> {
        let patience = Instant::now() + self.config.reconnect_for;
        loop {
            let limit = self.config.connect_timeout;
            let error = match timeout(limit, self.connect_once()).await {
                Ok(Ok(stream)) => {
                    self.backoff.reset();
                    return Ok(stream);
                }
                Ok(Err(error)) => error,
                Err(_) => Error::Connect(io::ErrorKind::TimedOut.into()),
            };
            self.session.lost();
            let wait = self.backoff.wait();
            let final_word = matches!(error, Error::Server(_) | Error::Unsupported(_));
            if final_word || Instant::now() + wait >= patience {
                sleep(wait.min(self.config.backoff_first)).await;
                return Err(error);
            }
            sleep(wait).await;
        }
    }

    async fn connect_once(&mut self) -> Result<Box<dyn Stream>> {
        let mut stream = dial(&self.config).await.map_err(Error::Connect)?;
        self.session.connected();
        let mut buffer = vec![0; READ_SIZE];
        while !self.session.is_ready() {
            let count = self.session.outgoing().len();
            stream.write_all(self.session.outgoing()).await.map_err(Error::Connect)?;
            self.session.handed(count);
            let count = stream.read(&mut buffer).await.map_err(Error::Connect)?;
            if count == 0 {
                return Err(Error::Connect(io::ErrorKind::UnexpectedEof.into()));
            }
            self.session.received(&buffer[..count]).map_err(Error::Protocol)?;
            if let Some(reply) = self.session.refusal() {
                return Err(refusal(reply));
            }
        }
        Ok(stream)
    }
}

type Dialled<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

fn dial(config: &Config) -> Dialled<'_> {
    Box::pin(async move {
        let tcp = match &config.address.endpoint {
            Endpoint::Unix(path) => {
                return Ok(Box::new(UnixStream::connect(path).await?) as Box<dyn Stream>);
            }
            Endpoint::Tcp { host, port } => TcpStream::connect((host.as_str(), *port)).await?,
        };
        tcp.set_nodelay(true)?;
        if config.address.tls {
            return encrypted(tcp, config).await;
        }
        Ok(Box::new(tcp) as Box<dyn Stream>)
    })
}

#[cfg(feature = "tls")]
async fn encrypted(tcp: TcpStream, config: &Config) -> io::Result<Box<dyn Stream>> {
    let (tls, name) = crate::tls::client(&config.address, &config.tls)?;
    let stream = tokio_rustls::TlsConnector::from(tls).connect(name, tcp).await?;
    Ok(Box::new(stream))
}

#[cfg(not(feature = "tls"))]
async fn encrypted(_: TcpStream, _: &Config) -> io::Result<Box<dyn Stream>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "built without encrypted connections"))
}
