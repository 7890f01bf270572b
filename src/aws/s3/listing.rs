//! The objects of a bucket in the order of their keys, page by page: a bucket may have more than memory holds.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::time;
use super::super::pages::Tokens;
use super::status;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// In bytes.
    pub(crate) size: u64,
    /// Another one when the object is written over.
    pub(crate) etag: String,
    pub(crate) modified: Option<Timestamp>,
}

/// A walk through the objects whose keys begin with a prefix. ListObjectsV2 lists them in the order of their UTF-8 bytes
/// (Amazon S3 API Reference, ListObjectsV2), a thousand per call.
pub(crate) struct Listing<'a> {
    aws: &'a Aws,
    bucket: String,
    prefix: String,
    token: Option<String>,
    tokens: Tokens,
    ended: bool,
    /// What was read and not yet asked for.
    ahead: VecDeque<Entry>,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(aws: &'a Aws, bucket: &str, prefix: &str) -> Self {
        Self {
            aws,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            token: None,
            tokens: Tokens::default(),
            ended: false,
            ahead: VecDeque::new(),
        }
    }

    /// The next objects, at most a thousand; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such bucket; what S3 refuses.
    pub(crate) async fn page(&mut self) -> Result<Option<Vec<Entry>>> {
        const REQUEST: &str = "ListObjectsV2";
        if self.ended {
            return Ok(None);
        }
        let doing = || format!("list `{}` in bucket {}", self.prefix, self.bucket);
        let answer = self
            .aws
            .s3_client()
            .await?
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(&self.prefix)
            .set_continuation_token(self.token.clone())
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if status(&error) == Some(404) => {
                return Err(CtlError::new(
                    ErrorKind::NotFound,
                    format!("{}: there is no such bucket", doing()),
                ));
            }
            Err(error) => return Err(from_sdk(doing(), &error)),
        };
        let entries = answer.contents().iter().map(|object| {
            let size = object.size().required(REQUEST, "Size")?;
            Ok(Entry {
                key: object.key().required(REQUEST, "Key")?.to_owned(),
                size: u64::try_from(size).unwrap_or_default(),
                etag: object.e_tag().required(REQUEST, "ETag")?.to_owned(),
                modified: time(object.last_modified()),
            })
        });
        let entries = entries.collect::<Result<Vec<Entry>>>()?;
        self.token = answer.next_continuation_token().map(str::to_owned);
        match &self.token {
            Some(token) => self.tokens.note(&doing(), token)?,
            None => self.ended = true,
        }
        Ok(Some(entries))
    }

    /// Whether there is another page.
    pub(crate) fn has_more(&self) -> bool {
        !self.ended
    }

    /// The object of this key, if the bucket has it. Keys are asked for in their order.
    pub(crate) async fn find(&mut self, key: &str) -> Result<Option<Entry>> {
        loop {
            while self.ahead.front().is_some_and(|entry| entry.key.as_str() < key) {
                self.ahead.pop_front();
            }
            if let Some(entry) = self.ahead.front() {
                return Ok((entry.key == key).then(|| entry.clone()));
            }
            match self.page().await? {
                Some(page) => self.ahead.extend(page),
                None => return Ok(None),
            }
        }
    }
}
