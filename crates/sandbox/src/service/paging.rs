//! Pages of a list with opaque tokens, as every listing operation hands them out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A token that this account never handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadToken;

/// The page of `items` that begins where `token` says, and the token of the next one if there is more.
pub(crate) fn page<T>(
    items: Vec<T>,
    token: Option<&str>,
    limit: usize,
) -> Result<(Vec<T>, Option<String>), BadToken> {
    let from = token.map_or(Ok(0), decode)?;
    if from > items.len() {
        return Err(BadToken);
    }
    let more = items.len() > from + limit;
    let page = items.into_iter().skip(from).take(limit).collect();
    Ok((page, more.then(|| encode(from + limit))))
}

fn encode(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("page after {offset:08}"))
}

fn decode(token: &str) -> Result<usize, BadToken> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadToken)?;
    let text = String::from_utf8(bytes).map_err(|_| BadToken)?;
    text.strip_prefix("page after ")
        .and_then(|offset| offset.parse().ok())
        .ok_or(BadToken)
}

/// The strings of a list member; empty when the member is absent.
pub(crate) fn strings<'a>(input: &'a Value, member: &str) -> Vec<&'a str> {
    input[member]
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_and_end() {
        let list: Vec<u32> = (0..5).collect();
        let (first, token) = page(list.clone(), None, 2).unwrap();
        assert_eq!(first, [0, 1]);
        let (second, token) = page(list.clone(), token.as_deref(), 2).unwrap();
        assert_eq!(second, [2, 3]);
        let (third, token) = page(list.clone(), token.as_deref(), 2).unwrap();
        assert_eq!((third, token), (vec![4], None));
        assert_eq!(page(list, Some("2"), 2), Err(BadToken));
    }
}
