// Two fleet stacks as the platform's app names them; the second imports what the first exports.
const { App, Stack, Tags, CfnOutput, Duration, RemovalPolicy } = require("aws-cdk-lib");
const assets = require("aws-cdk-lib/aws-s3-assets");
const cloudwatch = require("aws-cdk-lib/aws-cloudwatch");
const logs = require("aws-cdk-lib/aws-logs");
const ssm = require("aws-cdk-lib/aws-ssm");

const app = new App();
const env = { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION };
const threshold = Number(app.node.tryGetContext("threshold") ?? 10);

const first = new Stack(app, "bp-gpu-fleet-staging-gpu-one", { env });
const group = new logs.LogGroup(first, "Logs", {
  logGroupName: "/gpu-workers/gpu-one",
  retention: logs.RetentionDays.ONE_WEEK,
  removalPolicy: RemovalPolicy.DESTROY,
});
new cloudwatch.Alarm(first, "QueueDeepAlarm", {
  alarmName: "staging-p3-gpu-one-queue-deep",
  metric: new cloudwatch.Metric({
    namespace: "ComfyUI/Workers",
    metricName: "QueueDepth",
    dimensionsMap: { FleetSlug: "gpu-one", Stage: "staging" },
    statistic: "Maximum",
    period: Duration.minutes(30),
  }),
  threshold,
  evaluationPeriods: 1,
  treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
});
// A file that has to be in the bootstrap bucket before the stack is deployed.
const script = new assets.Asset(first, "Script", { path: "cdk.json" });
new CfnOutput(first, "ScriptUrl", { value: script.s3ObjectUrl });
new CfnOutput(first, "LogGroup", { value: group.logGroupName });

const second = new Stack(app, "bp-gpu-fleet-staging-gpu-two", { env });
new ssm.StringParameter(second, "Where", {
  parameterName: "/bp/fleets/staging/gpu-two/log_group",
  stringValue: group.logGroupArn,
});
Tags.of(app).add("Project", "bp");
