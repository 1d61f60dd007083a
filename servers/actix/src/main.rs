//! actix-web 4, joined with WebSockets as the documentation of actix-ws does it.

mod ws;

use std::io;

use actix_web::http::StatusCode;
use actix_web::rt::spawn;
use actix_web::web::{Bytes, Data, Payload, PayloadConfig, ServiceConfig, resource, to};
use actix_web::{HttpRequest, HttpResponse, HttpServer};
use actix_ws::{AggregatedMessageStream, Session};
use bytestring::ByteString;
use contract::{Answer, Refusal, Settings, Transport};

type App = contract::App<ByteString>;

#[actix_web::main]
async fn main() -> io::Result<()> {
    let settings = Settings::from_args();
    let version = launch::version_of("actix-web", env!("CARGO_PKG_NAME"));
    let app = App::new("actix", ("actix-web", version), &settings, ByteString::from);
    HttpServer::new(move || actix_web::App::new().configure(|config| routes(config, app.clone())))
        .workers(settings.workers.get())
        // SIGTERM is to end the process, not to wait for its clients.
        .disable_signals()
        .listen(launch::listen(&settings)?)?
        .run()
        .await
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
        .service(resource("/ws/broadcast").get(broadcast))
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
    match app.subscribe(Transport::WebSocket, request.uri().query()) {
        Ok(subscription) => upgrade(&request, body, limit, |session, stream| {
            ws::broadcast(session, stream, app, subscription)
        }),
        Err(refusal) => answer(refusal),
    }
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
    HttpResponse::build(status).content_type(Answer::CONTENT_TYPE).body(body)
}
