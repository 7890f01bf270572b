//! How the application's media upload can be broken, for tests.

/// A way in which it is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaTrouble {
    /// Every type of file is taken.
    AnyType,
    /// Every size is taken.
    AnySize,
    /// Anybody may write what anybody likes: addresses are neither signed nor do they expire.
    OpenBucket,
    /// Uploads go to a bucket of somebody else.
    OtherBucket,
    /// Every job fails.
    JobFails,
    /// What is deleted stays.
    KeepsVideos,
    /// Jobs are written down and come into no queue.
    NoDispatch,
    /// Requests of this method to this route, e.g. `videos/uploads`, are answered with this status and are not carried out.
    Answers(&'static str, &'static str, u16),
    /// They are carried out, and the answer is lost.
    LosesAnswer(&'static str, &'static str),
}
