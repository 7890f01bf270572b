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
    /// Without the data that goes through it.
    NatGateway,
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
    /// What CloudWatch Logs keeps.
    Logs,
    /// Images in ECR.
    Images,
    Secret,
    /// An alarm on one metric with a period of a minute or more.
    Alarm,
}
