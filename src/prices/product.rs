//! What is billed.

/// The processor that a task of Fargate runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cpu {
    Arm,
    X86,
}

/// Something with a price.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Product {
    /// A vCPU of a task.
    FargateCpu(Cpu),
    /// A GB of a task's memory.
    FargateMemory(Cpu),
    /// An instance of MariaDB.
    Database {
        class: String,
        multi_az: bool,
    },
    /// gp3 storage of a database.
    DatabaseStorage {
        multi_az: bool,
    },
    /// Beyond the size of the database.
    DatabaseSnapshot,
    /// A node of ElastiCache; `redis`, `valkey` or `memcached`.
    Cache {
        node: String,
        engine: String,
    },
    /// An Application Load Balancer, without capacity units.
    LoadBalancer,
    /// A capacity unit of an Application Load Balancer, for an hour.
    LoadBalancerCapacity,
    /// Without the data that goes through it.
    NatGateway,
    /// What goes through a NAT gateway.
    NatData,
    /// A public IPv4 address, used or not.
    PublicAddress,
    /// A Linux instance on demand.
    Instance(String),
    /// A volume of EBS by its type, e.g. `gp3`.
    Volume(String),
    /// A snapshot of a volume.
    VolumeSnapshot,
    /// S3 Standard, the first 50 TB.
    Bucket,
    /// PUT, COPY, POST and LIST requests to S3 Standard.
    BucketWrites,
    /// GET and all other requests to S3 Standard.
    BucketReads,
    /// What CloudFront delivers in the United States, the first 10 TB; Canada and Europe cost the same.
    Delivery,
    /// HTTPS requests to CloudFront in the United States.
    DeliveryRequests,
    /// What CloudWatch Logs keeps.
    Logs,
    /// What CloudWatch Logs takes in.
    LogsTakenIn,
    /// Images in ECR.
    Images,
    Secret,
    /// An alarm on one metric with a period of a minute or more.
    Alarm,
}

impl Product {
    /// For people.
    pub(crate) fn label(&self) -> String {
        let zones = |multi_az: &bool| if *multi_az { "two zones" } else { "one zone" };
        let cpu = |cpu: &Cpu| match cpu {
            Cpu::Arm => "ARM",
            Cpu::X86 => "x86",
        };
        match self {
            Self::FargateCpu(of) => format!("Fargate vCPU, {}", cpu(of)),
            Self::FargateMemory(of) => format!("Fargate memory, {}", cpu(of)),
            Self::Database { class, multi_az } => format!("MariaDB {class}, {}", zones(multi_az)),
            Self::DatabaseStorage { multi_az } => format!("MariaDB gp3 storage, {}", zones(multi_az)),
            Self::DatabaseSnapshot => "MariaDB backup storage".to_owned(),
            Self::Cache { node, engine } => format!("{engine} {node}"),
            Self::LoadBalancer => "Application Load Balancer".to_owned(),
            Self::LoadBalancerCapacity => "load balancer capacity unit".to_owned(),
            Self::NatGateway => "NAT gateway".to_owned(),
            Self::NatData => "data through NAT gateways".to_owned(),
            Self::PublicAddress => "public IPv4 address".to_owned(),
            Self::Instance(kind) => format!("Linux {kind} on demand"),
            Self::Volume(kind) => format!("EBS {kind}"),
            Self::VolumeSnapshot => "EBS snapshots".to_owned(),
            Self::Bucket => "S3 Standard".to_owned(),
            Self::BucketWrites => "S3 writes and lists".to_owned(),
            Self::BucketReads => "S3 reads".to_owned(),
            Self::Delivery => "CloudFront data, United States".to_owned(),
            Self::DeliveryRequests => "CloudFront HTTPS requests, United States".to_owned(),
            Self::Logs => "logs kept".to_owned(),
            Self::LogsTakenIn => "logs taken in".to_owned(),
            Self::Images => "ECR images".to_owned(),
            Self::Secret => "secret".to_owned(),
            Self::Alarm => "alarm".to_owned(),
        }
    }

    /// What its price is for.
    pub(crate) fn unit(&self) -> &'static str {
        match self {
            Self::FargateMemory(_) => "GB-hour",
            Self::FargateCpu(_)
            | Self::Database { .. }
            | Self::Cache { .. }
            | Self::LoadBalancer
            | Self::LoadBalancerCapacity
            | Self::NatGateway
            | Self::PublicAddress
            | Self::Instance(_) => "hour",
            Self::NatData | Self::Delivery | Self::LogsTakenIn => "GB",
            Self::BucketWrites | Self::BucketReads | Self::DeliveryRequests => "request",
            Self::DatabaseStorage { .. }
            | Self::DatabaseSnapshot
            | Self::Volume(_)
            | Self::VolumeSnapshot
            | Self::Bucket
            | Self::Logs
            | Self::Images => "GB-month",
            Self::Secret | Self::Alarm => "month",
        }
    }
}
