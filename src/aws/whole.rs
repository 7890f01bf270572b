//! An answer that is not whole is no answer. The SDK reads XML from its beginning and stops where it has what it
//! looks for: an answer that was cut off behind that place would pass.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::error::CutOff;

/// Refuses answers in XML whose first element is not closed.
#[derive(Debug)]
pub(super) struct Whole;

impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let is_xml = response
            .headers()
            .get("content-type")
            .is_some_and(|kind| kind.contains("xml"));
        match response.body().bytes() {
            Some(body) if is_xml && response.status().is_success() && !is_closed(body) => Err(CutOff.into()),
            _ => Ok(()),
        }
    }
}

/// Whether a document ends with the end of its first element.
fn is_closed(body: &[u8]) -> bool {
    let Ok(mut text) = std::str::from_utf8(body) else {
        return false;
    };
    text = text.trim_start_matches('\u{feff}').trim();
    // AWS answers some calls with nothing at all.
    if text.is_empty() {
        return true;
    }
    // Declaration and comments come before the first element.
    while let Some(rest) = text.strip_prefix("<?").or_else(|| text.strip_prefix("<!")) {
        match rest.split_once('>') {
            Some((_, rest)) => text = rest.trim_start(),
            None => return false,
        }
    }
    let Some(element) = text.strip_prefix('<') else {
        return false;
    };
    let name = element
        .split(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))
        .next()
        .unwrap_or_default();
    let ends = text
        .strip_suffix('>')
        .map(str::trim_end)
        .and_then(|text| text.strip_suffix(name))
        .is_some_and(|text| text.ends_with("</"));
    let alone = text.ends_with("/>") && text.matches('<').count() == 1;
    !name.is_empty() && (ends || alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_ends_with_its_first_element() {
        let whole = "<?xml version=\"1.0\"?>\n<R xmlns=\"x\"><Account>1</Account></R>\n";
        assert!(is_closed(whole.as_bytes()));
        assert!(is_closed(b"<R/>") && is_closed(b"") && is_closed(b"<R></R >"));
        for cut in 22..whole.len() - 2 {
            assert!(!is_closed(whole.get(..cut).unwrap().as_bytes()), "{cut}");
        }
        assert!(
            !is_closed(b"<R><R2></R2>") && !is_closed(b"<R><a/>") && !is_closed(b"{}") && !is_closed(b"\xff")
        );
    }
}
