//! What an asset is, where ComfyUI looks for it, and how it gets there.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of assets and the folders of each below the ComfyUI root (the platform's runbook, "Kind → target path
/// mapping").
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Weights of a diffusion model.
    DiffusionModel,
    /// A text encoder.
    TextEncoder,
    /// A checkpoint.
    Checkpoint,
    /// A LoRA.
    Lora,
    /// A variational autoencoder.
    Vae,
    /// A textual inversion.
    Embedding,
    /// A ControlNet.
    Controlnet,
    /// A custom node, usually an archive.
    CustomNode,
    /// Anything else.
    Other,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::DiffusionModel,
        Self::TextEncoder,
        Self::Checkpoint,
        Self::Lora,
        Self::Vae,
        Self::Embedding,
        Self::Controlnet,
        Self::CustomNode,
        Self::Other,
    ];

    /// As manifests and keys have it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::DiffusionModel => "diffusion_model",
            Self::TextEncoder => "text_encoder",
            Self::Checkpoint => "checkpoint",
            Self::Lora => "lora",
            Self::Vae => "vae",
            Self::Embedding => "embedding",
            Self::Controlnet => "controlnet",
            Self::CustomNode => "custom_node",
            Self::Other => "other",
        }
    }

    /// Its folder, without a slash at the end.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::DiffusionModel => "models/diffusion_models",
            Self::TextEncoder => "models/text_encoders",
            Self::Checkpoint => "models/checkpoints",
            Self::Lora => "models/loras",
            Self::Vae => "models/vae",
            Self::Embedding => "models/embeddings",
            Self::Controlnet => "models/controlnet",
            Self::CustomNode => "custom_nodes",
            Self::Other => "models/other",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How an asset gets to its place on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// The target is the file.
    Copy,
    /// The target is the folder that the archive is unpacked into.
    ExtractZip,
    ExtractTarGz,
}

impl Action {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::ExtractZip => "extract_zip",
            Self::ExtractTarGz => "extract_tar_gz",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Copy, Self::ExtractZip, Self::ExtractTarGz]
            .into_iter()
            .find(|action| action.as_str() == name)
    }

    /// The action for a file of this name: archives are unpacked where the kind is one of folders.
    pub(crate) fn of_file(kind: Kind, file: &str) -> Self {
        let file = file.to_ascii_lowercase();
        if kind != Kind::CustomNode {
            Self::Copy
        } else if file.ends_with(".zip") {
            Self::ExtractZip
        } else if file.ends_with(".tar.gz") || file.ends_with(".tgz") {
            Self::ExtractTarGz
        } else {
            Self::Copy
        }
    }
}
