//! What is known of resource types: which properties cannot change in place, and which resources hold data.
//!
//! From the "Update requires" of each property in the CloudFormation template reference. CloudFormation's own word on
//! this is the change set; this table is for the plan before there is one, and a change set that replaces more than the
//! plan says is not carried out.

/// Types and those of their properties that need a replacement, by type.
const REPLACING: &[(&str, &[&str])] = &[
    (
        "AWS::ApplicationAutoScaling::ScalableTarget",
        &["ResourceId", "ScalableDimension", "ServiceNamespace"],
    ),
    (
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        &[
            "PolicyName",
            "ResourceId",
            "ScalableDimension",
            "ScalingTargetId",
            "ServiceNamespace",
        ],
    ),
    (
        "AWS::AutoScaling::AutoScalingGroup",
        &["AutoScalingGroupName", "InstanceId"],
    ),
    ("AWS::AutoScaling::ScalingPolicy", &["AutoScalingGroupName"]),
    ("AWS::Budgets::Budget", &[]),
    ("AWS::CDK::Metadata", &[]),
    ("AWS::CloudFront::Distribution", &[]),
    ("AWS::CloudFront::OriginAccessControl", &[]),
    ("AWS::CloudWatch::Alarm", &["AlarmName"]),
    ("AWS::CloudWatch::Dashboard", &["DashboardName"]),
    ("AWS::EC2::EIP", &["Domain", "NetworkBorderGroup"]),
    ("AWS::EC2::InternetGateway", &[]),
    ("AWS::EC2::LaunchTemplate", &["LaunchTemplateName"]),
    (
        "AWS::EC2::NatGateway",
        &["AllocationId", "ConnectivityType", "PrivateIpAddress", "SubnetId"],
    ),
    (
        "AWS::EC2::Route",
        &[
            "CidrBlock",
            "DestinationCidrBlock",
            "DestinationIpv6CidrBlock",
            "RouteTableId",
        ],
    ),
    ("AWS::EC2::RouteTable", &["VpcId"]),
    (
        "AWS::EC2::SecurityGroup",
        &["GroupDescription", "GroupName", "VpcId"],
    ),
    (
        "AWS::EC2::SecurityGroupEgress",
        &[
            "CidrIp",
            "DestinationSecurityGroupId",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "ToPort",
        ],
    ),
    (
        "AWS::EC2::SecurityGroupIngress",
        &[
            "CidrIp",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "SourceSecurityGroupId",
            "ToPort",
        ],
    ),
    ("AWS::EC2::Subnet", &["AvailabilityZone", "CidrBlock", "VpcId"]),
    ("AWS::EC2::SubnetRouteTableAssociation", &["SubnetId"]),
    ("AWS::EC2::VPC", &["CidrBlock", "InstanceTenancy"]),
    (
        "AWS::EC2::VPCEndpoint",
        &["ServiceName", "VpcEndpointType", "VpcId"],
    ),
    ("AWS::EC2::VPCGatewayAttachment", &["VpcId"]),
    (
        "AWS::ECR::Repository",
        &["EncryptionConfiguration", "RepositoryName"],
    ),
    ("AWS::ECS::Cluster", &["ClusterName"]),
    ("AWS::ECS::ClusterCapacityProviderAssociations", &["Cluster"]),
    (
        "AWS::ECS::Service",
        &[
            "Cluster",
            "LaunchType",
            "Role",
            "SchedulingStrategy",
            "ServiceName",
        ],
    ),
    // Every change makes a new revision.
    (
        "AWS::ECS::TaskDefinition",
        &[
            "ContainerDefinitions",
            "Cpu",
            "ExecutionRoleArn",
            "Family",
            "Memory",
            "NetworkMode",
            "RequiresCompatibilities",
            "RuntimePlatform",
            "TaskRoleArn",
            "Volumes",
        ],
    ),
    (
        "AWS::ElastiCache::CacheCluster",
        &[
            "ClusterName",
            "Engine",
            "Port",
            "CacheSubnetGroupName",
            "SnapshotArns",
            "NetworkType",
        ],
    ),
    (
        "AWS::ElastiCache::ReplicationGroup",
        &[
            "AtRestEncryptionEnabled",
            "CacheSubnetGroupName",
            "Engine",
            "Port",
            "ReplicationGroupId",
        ],
    ),
    ("AWS::ElastiCache::SubnetGroup", &["CacheSubnetGroupName"]),
    ("AWS::ElasticLoadBalancingV2::Listener", &["LoadBalancerArn"]),
    ("AWS::ElasticLoadBalancingV2::ListenerRule", &["ListenerArn"]),
    (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        &["Name", "Scheme", "Type"],
    ),
    (
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        &["Name", "Port", "Protocol", "TargetType", "VpcId"],
    ),
    ("AWS::IAM::InstanceProfile", &["InstanceProfileName", "Path"]),
    ("AWS::IAM::ManagedPolicy", &["ManagedPolicyName", "Path"]),
    ("AWS::IAM::OIDCProvider", &["Url"]),
    ("AWS::IAM::Policy", &[]),
    ("AWS::IAM::Role", &["Path", "RoleName"]),
    ("AWS::Lambda::Function", &["FunctionName", "PackageType"]),
    (
        "AWS::Lambda::Permission",
        &[
            "Action",
            "FunctionName",
            "Principal",
            "SourceAccount",
            "SourceArn",
        ],
    ),
    ("AWS::Logs::LogGroup", &["LogGroupName"]),
    (
        "AWS::RDS::DBInstance",
        &[
            "AvailabilityZone",
            "CharacterSetName",
            "DBInstanceIdentifier",
            "DBName",
            "DBSnapshotIdentifier",
            "DBSubnetGroupName",
            "Engine",
            "KmsKeyId",
            "MasterUsername",
            "SourceDBInstanceIdentifier",
            "StorageEncrypted",
        ],
    ),
    (
        "AWS::RDS::DBParameterGroup",
        &["DBParameterGroupName", "Description", "Family"],
    ),
    ("AWS::RDS::DBSubnetGroup", &["DBSubnetGroupName"]),
    ("AWS::S3::Bucket", &["BucketName", "ObjectLockEnabled"]),
    ("AWS::S3::BucketPolicy", &["Bucket"]),
    ("AWS::SNS::Subscription", &["Endpoint", "Protocol", "TopicArn"]),
    ("AWS::SNS::Topic", &["FifoTopic", "TopicName"]),
    ("AWS::SNS::TopicPolicy", &[]),
    ("AWS::SSM::Parameter", &["Name", "Type"]),
    ("AWS::SecretsManager::Secret", &["Name"]),
    ("AWS::SecretsManager::SecretTargetAttachment", &[]),
];

/// Properties of a type that a replacement is needed for; `None` for a type that is not known here.
pub(super) fn replacing(kind: &str) -> Option<&'static [&'static str]> {
    let found = REPLACING.iter().find(|(known, _)| *known == kind);
    found.map(|(_, properties)| *properties)
}

/// What is lost with a resource of this type, in words; `None` where nothing is.
pub(super) fn holds(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::RDS::DBInstance" | "AWS::RDS::DBCluster" => "the databases in it",
        "AWS::S3::Bucket" => "the objects in it",
        "AWS::SecretsManager::Secret" => "the secret in it",
        "AWS::ECR::Repository" => "the images in it",
        "AWS::Logs::LogGroup" => "the logs in it",
        "AWS::ElastiCache::CacheCluster" | "AWS::ElastiCache::ReplicationGroup" => {
            "sessions, queues and caches in it"
        }
        "AWS::EFS::FileSystem" => "the files in it",
        "AWS::DynamoDB::Table" => "the items in it",
        _ => return None,
    })
}
