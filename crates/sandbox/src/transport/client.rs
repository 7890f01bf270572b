//! The sandbox as the HTTP client of an AWS SDK. No socket, no name lookup, no TLS.

use std::io;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;

use super::clock::pause;
use super::live::LiveBody;
use crate::sandbox::Sandbox;
use crate::wire::{Delivery, Live};

impl HttpClient for Sandbox {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Sandbox {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.clone();
        HttpConnectorFuture::new(async move { sandbox.carry(request).await })
    }
}

impl Sandbox {
    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request
            .try_into_http1x()
            .map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
        let mut response = self.handle(&http::Request::from_parts(parts, body));
        let delivery = Delivery::of(&response);
        pause(delivery.delay).await;
        if delivery.lost {
            let reset = io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by peer");
            return Err(ConnectorError::io(reset.into()));
        }
        let live = response.extensions_mut().remove::<Live>();
        let response = response.map(|body| match live {
            Some(live) => SdkBody::from_body_1_x(LiveBody::new(self, live, body)),
            None => SdkBody::from(body),
        });
        HttpResponse::try_from(response).map_err(|error| ConnectorError::user(error.into()))
    }
}
