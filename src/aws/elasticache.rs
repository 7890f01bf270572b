//! ElastiCache: which nodes there are.

use super::Aws;
use super::pages::Pages;
use crate::error::{Required as _, Result};

/// A cluster of nodes; one of Redis is a single node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheCluster {
    pub(crate) id: String,
    /// `available`, `creating`, …
    pub(crate) status: String,
    /// E.g. `cache.t4g.small`.
    pub(crate) node: Option<String>,
    /// `redis`, `valkey` or `memcached`.
    pub(crate) engine: Option<String>,
    pub(crate) nodes: u32,
    /// Host names of its nodes.
    pub(crate) endpoints: Vec<String>,
}

impl Aws {
    /// Every cluster of this region.
    pub(crate) async fn cache_clusters(&self) -> Result<Vec<CacheCluster>> {
        const REQUEST: &str = "DescribeCacheClusters";
        let stream = self
            .elasticache_client()
            .await?
            .describe_cache_clusters()
            .show_cache_node_info(true)
            .into_paginator()
            .send();
        let found = Pages::new("describe the cache clusters", stream).all().await?;
        found
            .iter()
            .map(|cluster| {
                let nodes = cluster.num_cache_nodes().required(REQUEST, "NumCacheNodes")?;
                let endpoints = cluster.cache_nodes().iter();
                Ok(CacheCluster {
                    id: cluster
                        .cache_cluster_id()
                        .required(REQUEST, "CacheClusterId")?
                        .to_owned(),
                    status: cluster.cache_cluster_status().unwrap_or_default().to_owned(),
                    node: cluster.cache_node_type().map(str::to_owned),
                    engine: cluster.engine().map(str::to_owned),
                    nodes: u32::try_from(nodes).unwrap_or_default(),
                    endpoints: endpoints
                        .filter_map(|node| node.endpoint()?.address().map(str::to_owned))
                        .collect(),
                })
            })
            .collect()
    }
}
