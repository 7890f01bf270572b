//! The account's HTTP gateway: takes a request apart, checks it, has it answered and writes the answer in the
//! protocol it was asked in. Pure: the world's clock has been advanced before.

mod amend;
mod calls;
mod cbor;
mod check;
mod event_stream;
mod failure;
mod json;
mod live;
mod output;
mod query;
mod rest;
mod route;
mod shape;
mod stranger;
mod xml;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Map, Value};

pub use calls::Call;
pub(crate) use calls::{CallLog, Shown};
pub use live::Live;
pub(crate) use live::LiveFrame;
pub(crate) use rest::{Address, Payload};

use self::amend::Amendments;
use self::query::read_scalar;
use self::route::{Protocol, Route, Scope};
use self::shape::Api;
use crate::application::{asset_ops, webhook};
use crate::error::{ApiError, OpResult};
use crate::fault::{self, Fault, FaultRule, Faults};
use crate::iam;
use crate::ids::Ids;
use crate::options::Options;
use crate::scenario::Scenario;
use crate::service::{Service, ecr, elb, s3, sts};
use crate::time::SimTime;
use crate::world::World;

/// CloudWatch accepts requests of 1 MB; nothing else comes near it.
const LARGEST_BODY: u64 = 8 * 1024 * 1024;

/// What the gateway remembers between requests. It does not influence the account.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Request ids have a generator of their own, so that looking at the account does not change what is in it.
    pub(crate) ids: Ids,
    calls: CallLog,
    faults: Faults,
    amendments: Amendments,
    /// The account's other regions, as far as a client has asked there.
    elsewhere: BTreeMap<String, World>,
}

impl Gateway {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            ids: Ids::new(seed ^ 0x7265_7175_6573_7473),
            calls: CallLog::default(),
            faults: Faults::default(),
            amendments: Amendments::default(),
            elsewhere: BTreeMap::new(),
        }
    }

    /// Takes note of a call, as if it had come in.
    #[cfg(test)]
    pub(crate) fn record(&mut self, call: Call) {
        self.calls.record(call);
    }
}

/// How an answer travels; an extension of the responses that [`World::handle`] gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// How much later than usual it arrives, in the time of the caller's machine.
    pub delay: Duration,
    /// The connection breaks instead.
    pub lost: bool,
}

impl Delivery {
    /// How `response` travels.
    #[must_use]
    pub fn of(response: &Response<Bytes>) -> Self {
        response.extensions().get().copied().unwrap_or_default()
    }
}

impl World {
    /// Answers one request of an AWS SDK, in any protocol of the simulated services.
    ///
    /// The code that carries the answer to the caller has to heed its [`Delivery`].
    pub fn handle(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let request_id = self.gateway.ids.uuid();
        if let Some(answer) = asset_ops::answer(self, request) {
            return finish(answer, self.now, &request_id);
        }
        if let Some(answer) = webhook::answer(self, request) {
            return finish(answer, self.now, &request_id);
        }
        if let Some(answer) = elb::answer(self, request) {
            return finish(answer, self.now, &request_id);
        }
        if let Some(answer) = s3::answer_presigned(self, request) {
            return finish(answer, self.now, &request_id);
        }
        if let Some(answer) = ecr::download_layer(self, request) {
            return finish(answer, self.now, &request_id);
        }
        // What encodes the body of a REST request belongs to the object in it.
        let rest = rest::find(request);
        let body = match &rest {
            Some(_) => Some(Cow::Borrowed(request.body().as_ref())),
            None => decoded(request),
        };
        let Some(body) = body else {
            return finish(
                plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body's encoding"),
                self.now,
                &request_id,
            );
        };
        let Some(route) = rest.or_else(|| route::find(request, &body)) else {
            let refusal = stranger::refusal(request, &body, &request_id);
            let refusal = refusal.unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "this request"));
            return finish(refusal, self.now, &request_id);
        };
        let faults = self.gateway.faults.of(route.service, &route.operation);
        let (mut written, mut asked) = (None, Vec::new());
        let answer = self.answer(request, &route, &body, &faults, &mut written, &mut asked);
        self.gateway.calls.record(Call {
            at: self.now,
            service: route.service,
            operation: route.operation.clone(),
            access: route.service.access(&route.operation),
            error: answer
                .as_ref()
                .err()
                .map(|error| failure::code(route.service, &route.operation, route.protocol, error)),
            input: written,
            asked,
            by: sts::identity(self, &sent_by(request.headers())).arn,
            agent: route::text(request.headers(), "user-agent")
                .unwrap_or_default()
                .to_owned(),
        });
        let session = answer.as_ref().ok().and_then(session_of);
        let response = match answer {
            Ok(output) => success(&route, &output, &request_id),
            Err(error) => failure::response(
                route.service,
                &route.operation,
                route.protocol,
                &error,
                &request_id,
            ),
        };
        let mut response = finish(response, self.now, &request_id);
        if let Some(session) = session {
            response.extensions_mut().insert(Live { session });
        }
        if request.method() == http::Method::HEAD {
            *response.body_mut() = Bytes::new();
        }
        if route.service == Service::S3 {
            s3::finish(&mut response, &request_id);
        }
        response.extensions_mut().insert(Delivery {
            delay: faults
                .iter()
                .map(|fault| {
                    if let Fault::Delay(delay) = fault {
                        *delay
                    } else {
                        Duration::ZERO
                    }
                })
                .sum(),
            lost: faults
                .iter()
                .any(|fault| matches!(fault, Fault::Disconnect | Fault::LoseAnswer)),
        });
        response
    }

    /// The latest calls, oldest first, also those that were refused.
    #[must_use]
    pub fn calls(&self) -> &VecDeque<Call> {
        self.gateway.calls.latest()
    }

    /// How many calls there have been.
    #[must_use]
    pub fn call_count(&self) -> u64 {
        self.gateway.calls.total()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&mut self) {
        self.gateway.calls.clear();
    }

    /// Lets calls fail from now on.
    pub fn inject(&mut self, rule: FaultRule) {
        self.gateway.faults.add(rule);
    }

    /// Takes back every rule.
    pub fn clear_faults(&mut self) {
        self.gateway.faults.clear();
    }

    /// The world that answers for `region`: this one, or one in which the platform was never deployed.
    fn in_region(&mut self, service: Service, region: &str) -> &mut Self {
        if region == self.options.region || is_everywhere(service) {
            return self;
        }
        let (options, now) = (&self.options, self.now);
        let world = self
            .gateway
            .elsewhere
            .entry(region.to_owned())
            .or_insert_with(|| {
                let options = Options {
                    region: region.to_owned(),
                    scenarios: BTreeSet::new(),
                    ..options.clone()
                };
                Self::empty(options, now)
            });
        world.advance(now);
        world
    }

    /// The operation's answer, or why there is none: faults first, then the request's form, then the account.
    /// Carries a request out; what a writing operation was asked to do goes to `written`, what
    /// IAM was asked to `asked`.
    fn answer(
        &mut self,
        request: &Request<Bytes>,
        route: &Route,
        body: &[u8],
        faults: &[Fault],
        written: &mut Option<Value>,
        asked: &mut Vec<(String, String)>,
    ) -> OpResult {
        let headers = request.headers();
        let caller = sent_by(headers);
        if self.has(Scenario::ExpiredCredentials) || sts::expired(self, &caller) {
            return Err(fault::expired(route.service));
        }
        if self.has(Scenario::Throttled)
            && (self.gateway.calls.total() + 1).is_multiple_of(fault::THROTTLED_EVERY)
        {
            return Err(fault::throttled(route.service));
        }
        let api = Api::of(route.service);
        let Some(operation) = api.operations.get(&route.operation) else {
            return Err(match route.service {
                Service::S3 => s3::unknown_operation(),
                _ => World::unknown_operation(&route.operation),
            });
        };
        let input = match &operation.input {
            None => Ok(Value::Object(Map::new())),
            Some(shape) => match route.protocol {
                Protocol::Json(_) => json::read(api, shape, body),
                Protocol::Cbor => cbor::read(api, shape, body),
                Protocol::Query | Protocol::Ec2 => route.parameters.read(api, shape),
                Protocol::Rest(kind) => {
                    let payload = rest::payload(headers, body)?;
                    if route.service == Service::S3 {
                        s3::check_request(self.now, &route.operation, &route.address, &payload)?;
                    }
                    rest::read(api, shape, kind, &route.address, &payload.headers, &payload.body)
                }
            },
        };
        let input = input.map_err(|malformed| match route.service {
            Service::S3 => ApiError::client("MalformedXML", malformed.0),
            _ => ApiError::client("SerializationException", malformed.0),
        })?;
        if route.service.access(&route.operation) == Some(crate::Access::Write) {
            let mut input = input.clone();
            if let Value::Object(members) = &mut input {
                members.remove("Body");
            }
            *written = Some(input);
        }
        for fault in faults {
            match fault {
                Fault::Deny => {
                    let arn = sts::identity(self, &caller).arn;
                    return Err(fault::denied(
                        route.service,
                        &route.operation,
                        &input,
                        &arn,
                        &self.options,
                    ));
                }
                Fault::Throttle => return Err(fault::throttled(route.service)),
                Fault::Expire => return Err(fault::expired(route.service)),
                Fault::Conflict => s3::conflict(route.service, &input)?,
                Fault::Fail => return Err(fault::failed(route.service)),
                // The request never arrived, so nothing may happen.
                Fault::Disconnect => return Err(fault::failed(route.service)),
                Fault::LoseAnswer | Fault::Delay(_) => {}
            }
        }
        self.services.sts.caller = caller;
        let region = Scope::of(headers)
            .map_or(self.options.region.as_str(), |scope| scope.region)
            .to_owned();
        if route.service == Service::S3 {
            s3::check_place(self, &region, &input)?;
        }
        let asks = iam::asked(
            self.in_region(route.service, &region),
            route.service,
            &route.operation,
            &input,
        );
        asked.extend(asks.iter().map(|ask| (ask.action.clone(), ask.resource.clone())));
        for ask in asks.iter().filter(|ask| !ask.in_part) {
            iam::check(self, route.service, ask)?;
        }
        check::input(route.service, &route.operation, &input)?;
        let mut output =
            self.in_region(route.service, &region)
                .call(route.service, &route.operation, &input)?;
        self.gateway
            .amendments
            .apply(route.service, &route.operation, &mut output);
        if let Some(shape) = &operation.output {
            output::check(api, shape, &output).map_err(|mismatch| {
                ApiError::client("InternalFailure", mismatch.to_string()).with_status(500)
            })?;
        }
        Ok(output)
    }
}

/// Who signed a request, and when.
fn sent_by(headers: &http::HeaderMap) -> sts::Caller {
    sts::Caller {
        access_key: Scope::of(headers).map(|scope| scope.access_key.to_owned()),
        clock: route::text(headers, "x-amz-date").and_then(amz_date),
    }
}

/// The body without its content encoding: SDKs compress large `PutMetricData` requests.
fn decoded(request: &Request<Bytes>) -> Option<Cow<'_, [u8]>> {
    match route::text(request.headers(), "content-encoding") {
        None | Some("" | "identity") => Some(Cow::Borrowed(request.body())),
        Some("gzip") => {
            let mut plain = Vec::new();
            let decoder = flate2::read::GzDecoder::new(request.body().as_ref());
            decoder.take(LARGEST_BODY).read_to_end(&mut plain).ok()?;
            Some(Cow::Owned(plain))
        }
        Some(_) => None,
    }
}

/// Identities, zones and budgets are the same everywhere, and buckets have one name for all regions.
fn is_everywhere(service: Service) -> bool {
    matches!(
        service,
        Service::Budgets | Service::Iam | Service::Pricing | Service::Route53 | Service::S3 | Service::Sts
    )
}

fn success(route: &Route, output: &Value, request_id: &str) -> Response<Bytes> {
    let api = Api::of(route.service);
    let Some(operation) = api.operations.get(&route.operation) else {
        return plain(StatusCode::NOT_FOUND, "this request");
    };
    let shape = operation.output.as_deref();
    let (content_type, body) = match route.protocol {
        _ if session_of(output).is_some() => (event_stream::CONTENT_TYPE.to_owned(), stream_begins(output)),
        Protocol::Json(version) => {
            // An operation without output answers with an empty body.
            let body = shape.map(|_| output.to_string().into_bytes());
            (
                format!("application/x-amz-json-{version}"),
                body.unwrap_or_default(),
            )
        }
        Protocol::Cbor => ("application/cbor".to_owned(), cbor::answer(api, shape, output)),
        Protocol::Query => {
            let text = xml::answer(api, &route.operation, operation, output, request_id);
            ("text/xml".to_owned(), text.into_bytes())
        }
        Protocol::Ec2 => {
            let text = xml::ec2_answer(api, &route.operation, operation, output, request_id);
            ("text/xml;charset=UTF-8".to_owned(), text.into_bytes())
        }
        Protocol::Rest(kind) => return rest::response(route.service, operation, kind, output),
    };
    let mut response = Response::new(Bytes::from(body));
    if let Ok(value) = content_type.parse() {
        response.headers_mut().insert("content-type", value);
    }
    if route.protocol == Protocol::Cbor {
        response
            .headers_mut()
            .insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    response
}

/// The session of an answer that goes on.
fn session_of(output: &Value) -> Option<String> {
    Some(
        output["responseStream"]["sessionStart"]["sessionId"]
            .as_str()?
            .to_owned(),
    )
}

/// The first messages of an answer that goes on.
fn stream_begins(output: &Value) -> Vec<u8> {
    let mut messages = event_stream::initial_response();
    for (name, event) in output["responseStream"].as_object().into_iter().flatten() {
        messages.extend(event_stream::event(name, event));
    }
    messages
}

/// An answer outside every API.
fn plain(status: StatusCode, what: &str) -> Response<Bytes> {
    let message = format!("{{\"message\":\"the sandbox does not understand {what}\"}}");
    let mut response = Response::new(Bytes::from(message));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    response
}

/// The headers that every answer has.
fn finish(mut response: Response<Bytes>, now: SimTime, request_id: &str) -> Response<Bytes> {
    let date = rest::http_date(now);
    for (name, value) in [("x-amzn-requestid", request_id), ("date", date.as_str())] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The caller's own clock, from the header that is signed: `20260115T090000Z`.
fn amz_date(text: &str) -> Option<SimTime> {
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    Some(SimTime(timestamp.as_millisecond()))
}

#[cfg(test)]
mod tests;
