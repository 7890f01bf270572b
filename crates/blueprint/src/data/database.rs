//! The database. It outlives its stack, or leaves a snapshot.

use serde_json::json;

use crate::build::{Resource, Template, attribute, reference, sub};
use crate::exports::{self, Tier};
use crate::iam;
use crate::names::Names;
use crate::settings::Settings;

pub(super) fn add(template: &mut Template, settings: &Settings) {
    let names = Names::of(settings);
    // What a database that stays uses cannot be deleted: its parameter group keeps the stack from going, and without the
    // role its metrics of the operating system end. The platform keeps the subnet group alone.
    let keeps = settings.keeps_data();
    let mended = keeps && !settings.upstream_compatible;
    template.add(
        "DatabaseSubnetGroup",
        Resource::new(
            "AWS::RDS::DBSubnetGroup",
            json!({
                "DBSubnetGroupDescription": "Isolated subnets for the database",
                "SubnetIds": exports::import_all(&exports::subnets(names, Tier::Isolated)),
            }),
        )
        .retained_if(keeps),
    );
    template.add(
        "DbParams",
        Resource::new(
            "AWS::RDS::DBParameterGroup",
            json!({
                "Description": "Parameters of the platform's database",
                "Family": "mariadb10.11",
                "Parameters": {
                    "character_set_server": "utf8mb4",
                    "collation_server": "utf8mb4_unicode_ci",
                    "max_connections": "150",
                },
            }),
        )
        .retained_if(mended),
    );
    template.add(
        "DatabaseMonitoringRole",
        iam::role(
            "monitoring.rds.amazonaws.com",
            &["service-role/AmazonRDSEnhancedMonitoringRole"],
            &[],
        )
        .retained_if(mended),
    );
    instance(template, settings);
    // Puts host, port and the like beside user and password.
    template.add(
        "DatabaseSecretAttachment",
        Resource::new(
            "AWS::SecretsManager::SecretTargetAttachment",
            json!({
                "SecretId": reference("DatabaseSecret"),
                "TargetId": reference("Database"),
                "TargetType": "AWS::RDS::DBInstance",
            }),
        )
        .retained_if(mended),
    );
}

/// A database that does not stay leaves a last snapshot (runbook, "Full teardown").
fn instance(template: &mut Template, settings: &Settings) {
    let policy = if settings.keeps_data() {
        "Retain"
    } else {
        "Snapshot"
    };
    let credential = |key: &str| {
        sub(&format!(
            "{{{{resolve:secretsmanager:${{DatabaseSecret}}:SecretString:{key}}}}}"
        ))
    };
    let security_group = exports::security_group(Names::of(settings), "SgRds");
    template.add(
        "Database",
        Resource::new(
            "AWS::RDS::DBInstance",
            json!({
                "AllocatedStorage": "20",
                "BackupRetentionPeriod": 7,
                "CopyTagsToSnapshot": true,
                "DBInstanceClass": settings.sizes.database_class,
                "DBName": "bp",
                "DBParameterGroupName": reference("DbParams"),
                "DBSubnetGroupName": reference("DatabaseSubnetGroup"),
                "DeletionProtection": settings.keeps_data(),
                "Engine": "mariadb",
                "EngineVersion": "10.11",
                "MasterUsername": credential("username"),
                "MasterUserPassword": credential("password"),
                "MaxAllocatedStorage": 100,
                "MonitoringInterval": 60,
                "MonitoringRoleArn": attribute("DatabaseMonitoringRole", "Arn"),
                "MultiAZ": settings.sizes.database_multi_az,
                "PubliclyAccessible": false,
                "StorageEncrypted": true,
                "StorageType": "gp3",
                "VPCSecurityGroups": [security_group.import()],
            }),
        )
        // E3691 wants a minor version. RDS takes `10.11` and chooses one, which its own upgrades move on (Amazon RDS API
        // Reference, `CreateDBInstance`); a stated one would ask for the way back with every deployment after that.
        .with(
            "Metadata",
            json!({ "cfn-lint": { "config": { "ignore_checks": ["E3691"] } } }),
        )
        .with("DeletionPolicy", json!(policy))
        .with("UpdateReplacePolicy", json!(policy)),
    );
}
