//! actix-web 4, joined with WebSockets as the documentation of actix-ws does it.

mod ws;

use std::convert::Infallible;
use std::io;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::rt::spawn;
use actix_web::rt::time::sleep;
use actix_web::web::{Bytes, Data, Payload, PayloadConfig, ServiceConfig, resource, to};
use actix_web::{HttpRequest, HttpResponse, HttpServer};
use actix_ws::{AggregatedMessageStream, Session};
use bytestring::ByteString;
use contract::{Answer, EVENT_STREAM_HEADERS, Refusal, Settings};
use futures_util::stream::{Stream, StreamExt, iter};
use launch::Heartbeat;

type App = contract::App<ByteString>;

#[actix_web::main]
async fn main() -> io::Result<()> {
    let settings = Settings::from_args();
    let version = launch::version_of("actix-web", env!("CARGO_PKG_NAME"));
    let app = App::new("actix", ("actix-web", version), &settings, text);
    HttpServer::new(move || actix_web::App::new().configure(|config| routes(config, app.clone())))
        .workers(settings.workers.get())
        // SIGTERM is to end the process, not to wait for its clients.
        .disable_signals()
        // By default an answer goes on after its client has ended its half, and an event stream has no end.
        .h1_allow_half_closed(false)
        .listen(launch::listen(&settings)?)?
        .run()
        .await
}

/// A text message that shares the JSON.
fn text(json: Bytes) -> ByteString {
    ByteString::try_from(json).expect("JSON is UTF-8")
}

fn routes(config: &mut ServiceConfig, app: App) {
    let resource = |path| resource(path).default_service(to(async || answer(Answer::method_not_allowed())));
    config
        .app_data(PayloadConfig::new(app.limits().publication_bytes))
        .app_data(Data::new(app))
        .service(resource("/").get(async |app: Data<App>| answer(app.about())))
        .service(resource("/stats").get(async |app: Data<App>| answer(app.stats())))
        .service(
            resource("/xhr")
                .get(async |request: HttpRequest, app: Data<App>| answer(app.xhr(request.uri().query()))),
        )
        .service(resource("/publish").post(publish))
        .service(resource("/ws/echo").get(echo))
        .service(resource("/ws/countdown").get(countdown))
        .service(resource("/ws/broadcast").get(broadcast))
        .service(resource("/sse").get(sse))
        .service(resource("/poll").get(poll))
        .service(resource("/feed").get(async |app: Data<App>| answer(app.feed())))
        .service(resource("/feed/sse").get(feed_sse))
        .service(resource("/feed/ws").get(feed_ws))
        .default_service(to(async || answer(Answer::not_found())));
}

async fn publish(request: HttpRequest, body: actix_web::Result<Bytes>, app: Data<App>) -> HttpResponse {
    match body {
        Ok(body) => answer(app.publish(request.uri().query(), &body)),
        Err(error) if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE => {
            answer(app.publication_too_big())
        }
        Err(_) => answer(Refusal::NotHttp),
    }
}

async fn echo(request: HttpRequest, body: Payload, app: Data<App>) -> HttpResponse {
    let limit = app.limits().echo_bytes;
    upgrade(&request, body, limit, |session, stream| ws::echo(session, stream, limit))
}

async fn broadcast(request: HttpRequest, body: Payload, app: Data<App>) -> HttpResponse {
    let limit = app.limits().publication_bytes;
    match app.subscribe(request.uri().query()) {
        Ok(subscription) => upgrade(&request, body, limit, |session, stream| {
            ws::broadcast(session, stream, app, subscription)
        }),
        Err(refusal) => answer(refusal),
    }
}

async fn countdown(request: HttpRequest, body: Payload, app: Data<App>) -> HttpResponse {
    let limit = app.limits().publication_bytes;
    upgrade(&request, body, limit, |session, stream| ws::countdown(session, stream, app))
}

async fn feed_ws(request: HttpRequest, body: Payload, app: Data<App>) -> HttpResponse {
    let limit = app.limits().publication_bytes;
    upgrade(&request, body, limit, |session, stream| ws::feed(session, stream, app))
}

async fn sse(request: HttpRequest, app: Data<App>) -> HttpResponse {
    match app.sse(request.uri().query(), last_event_id(&request)) {
        Ok(events) => stream(launch::event_stream(events, Heartbeat::new(app.timing()))),
        Err(refusal) => answer(refusal),
    }
}

async fn poll(request: HttpRequest, app: Data<App>) -> HttpResponse {
    match app.poll(request.uri().query()) {
        Ok(poll) => answer(poll.answer(sleep(app.timing().poll_wait())).await),
        Err(refusal) => answer(refusal),
    }
}

async fn feed_sse(request: HttpRequest, app: Data<App>) -> HttpResponse {
    match app.feed_sse(request.uri().query(), last_event_id(&request)) {
        Ok([]) => answer(Answer::no_content()),
        Ok(events) => stream(iter(events.iter().cloned())),
        Err(refusal) => answer(refusal),
    }
}

fn last_event_id(request: &HttpRequest) -> Option<&[u8]> {
    request.headers().get("last-event-id").map(HeaderValue::as_bytes)
}

/// Answers the opening handshake, and has `talk` go on with the connection.
fn upgrade<F: Future<Output = ()> + 'static>(
    request: &HttpRequest,
    body: Payload,
    max_bytes: usize,
    talk: impl FnOnce(Session, AggregatedMessageStream) -> F,
) -> HttpResponse {
    let Ok((response, session, stream)) = actix_ws::handle(request, body) else {
        return answer(Refusal::NotUpgrade);
    };
    let stream = stream.max_frame_size(max_bytes).aggregate_continuations().max_continuation_size(max_bytes);
    spawn(talk(session, stream));
    response
}

fn answer(answer: impl Into<Answer>) -> HttpResponse {
    let Answer { status, body } = answer.into();
    let status = StatusCode::from_u16(status).expect("the contract has only valid statuses");
    let mut response = HttpResponse::build(status);
    if status == StatusCode::NO_CONTENT {
        return response.finish();
    }
    response.content_type(Answer::CONTENT_TYPE).body(body)
}

fn stream(blocks: impl Stream<Item = Bytes> + 'static) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    for header in EVENT_STREAM_HEADERS {
        response.insert_header(header);
    }
    response.streaming(blocks.map(Ok::<_, Infallible>))
}
