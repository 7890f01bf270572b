//! Resources that are there without a stack: by which property an import names them, and whether they are there
//! ("Resource type support", column "Import").

use crate::service::{ecr, logs, rds, s3, ssm};
use crate::world::World;

/// The kinds that can be imported here, each with the property that identifies it.
const IMPORTED: &[(&str, &str)] = &[
    ("AWS::ECR::Repository", "RepositoryName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::RDS::DBInstance", "DBInstanceIdentifier"),
    ("AWS::RDS::DBSubnetGroup", "DBSubnetGroupName"),
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::SSM::Parameter", "Name"),
];

/// The property that identifies resources of a kind to an import; `None` for one that cannot be imported.
pub(in super::super) fn imported_by(kind: &str) -> Option<&'static str> {
    let mut known = IMPORTED.iter();
    known
        .find(|(name, _)| *name == kind)
        .map(|(_, property)| *property)
}

/// Whether the account has it, in a stack or in none.
pub(in super::super) fn is_there(world: &World, kind: &str, physical: &str) -> bool {
    match kind {
        "AWS::ECR::Repository" => ecr::has_repository(world, physical),
        "AWS::Logs::LogGroup" => logs::has_group(world, physical),
        "AWS::RDS::DBInstance" => rds::endpoint(world, physical).is_some(),
        "AWS::S3::Bucket" => s3::has_bucket(world, physical),
        "AWS::SSM::Parameter" => ssm::value(world, physical).is_some(),
        // Of the others nothing but the stacks knows.
        _ => {
            let mut all = super::super::resources(world);
            all.any(|(_, resource)| resource.kind == kind && resource.physical == physical)
        }
    }
}
