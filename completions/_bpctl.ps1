
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'bpctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'bpctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'bpctl' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Migrate the databases in a one-off task and follow it to its end')
            [CompletionResult]::new('fleet', 'fleet', [CompletionResultType]::ParameterValue, 'Look at GPU fleets, understand how they scale, and take them to zero')
            [CompletionResult]::new('triage', 'triage', [CompletionResultType]::ParameterValue, 'Find out what is wrong with the platform, why, and what to do next')
            [CompletionResult]::new('whoami', 'whoami', [CompletionResultType]::ParameterValue, 'Show the account, principal, region and context that commands would use')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Try, rehearse and test everything in a simulated account')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Look at contexts and settings, and choose a context')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page, or write all pages into a folder')
            [CompletionResult]::new('exit-codes', 'exit-codes', [CompletionResultType]::ParameterValue, 'Exit statuses that scripts can rely on')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bpctl;migrate' {
            [CompletionResult]::new('--pools', '--pools', [CompletionResultType]::ParameterName, 'Migrate only these tenant pools (implies --tenant)')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Follow the task this long [default: wait_timeout of the context, 30m]')
            [CompletionResult]::new('--attach', '--attach', [CompletionResultType]::ParameterName, 'Follow a migration that was started before: id or ARN of its task')
            [CompletionResult]::new('--subnets', '--subnets', [CompletionResultType]::ParameterName, 'Subnets of the task [env: PRIVATE_SUBNET_IDS, a JSON array] [default: the service''s]')
            [CompletionResult]::new('--security-groups', '--security-groups', [CompletionResultType]::ParameterName, 'Security groups of the task [env: BACKEND_SG_ID] [default: the service''s]')
            [CompletionResult]::new('--confirm', '--confirm', [CompletionResultType]::ParameterName, 'Confirm a destructive change (or any change in a protected context) by its name')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('--central', '--central', [CompletionResultType]::ParameterName, 'Migrate the central database')
            [CompletionResult]::new('--tenant', '--tenant', [CompletionResultType]::ParameterName, 'Migrate the tenant pools')
            [CompletionResult]::new('--fresh', '--fresh', [CompletionResultType]::ParameterName, 'Drop all tables first')
            [CompletionResult]::new('--snapshot', '--snapshot', [CompletionResultType]::ParameterName, 'Take a snapshot of the database first; without it nothing is migrated')
            [CompletionResult]::new('--detach', '--detach', [CompletionResultType]::ParameterName, 'Start the task and return')
            [CompletionResult]::new('--stop-on-interrupt', '--stop-on-interrupt', [CompletionResultType]::ParameterName, 'On Ctrl-C stop the task instead of leaving it running')
            [CompletionResult]::new('--print-aws', '--print-aws', [CompletionResultType]::ParameterName, 'Print the equivalent aws command lines and change nothing')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and change nothing')
            [CompletionResult]::new('--exit-code', '--exit-code', [CompletionResultType]::ParameterName, 'With --dry-run: exit with status 9 when there is something to change')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before reversible changes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before reversible changes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;fleet' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the GPU fleets')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List the GPU fleets')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show capacity, queue, pointers, alarms and the last scaling activity of fleets')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say why a fleet has the capacity it has, why not more, and why not zero')
            [CompletionResult]::new('lint', 'lint', [CompletionResultType]::ParameterValue, 'Find what in the scaling of fleets works against itself')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Compare what a fleet''s group did with what its policies asked for')
            [CompletionResult]::new('simulate', 'simulate', [CompletionResultType]::ParameterValue, 'Simulate a fleet over days: how long jobs wait, what it costs, what is lost')
            [CompletionResult]::new('tune', 'tune', [CompletionResultType]::ParameterValue, 'Find the cheapest configuration of a fleet that keeps the wait short')
            [CompletionResult]::new('scale-to-zero', 'scale-to-zero', [CompletionResultType]::ParameterValue, 'Set the desired capacity of fleets to 0 and see their instances leave')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bpctl;fleet;list' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;fleet;ls' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;fleet;status' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;fleet;explain' {
            [CompletionResult]::new('--what-if', '--what-if', [CompletionResultType]::ParameterName, 'Suppose a steady queue depth (queue=N), so many warm workers (workers=N), or that Spot has no capacity (spot=none); joined by commas')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;fleet;lint' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'A configuration (TOML or JSON) instead of a live fleet''s')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with status 1 when there is a finding of this severity or worse')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;fleet;replay' {
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'How far back, up to 14 days: CloudWatch keeps single minutes for 15')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('--exit-code', '--exit-code', [CompletionResultType]::ParameterName, 'End with status 9 when group and policies disagree')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;fleet;simulate' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The fleet''s configuration (TOML or JSON) instead of a live fleet''s')
            [CompletionResult]::new('--arrivals', '--arrivals', [CompletionResultType]::ParameterName, 'When jobs come: constant:20/h, poisson:20/h, daily:2..40/h, burst:50@09:00 (every day), burst:50@90m (once), trace:FILE, none, or several joined by +')
            [CompletionResult]::new('--days', '--days', [CompletionResultType]::ParameterName, 'Days to simulate, up to 3650 [default: 30, or the length of the trace]')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of the random numbers')
            [CompletionResult]::new('--plot', '--plot', [CompletionResultType]::ParameterName, 'Draw queue, instances and desired capacity over time into this file, which is replaced')
            [CompletionResult]::new('--points', '--points', [CompletionResultType]::ParameterName, 'Put the course over time into the JSON document, in so many points (at most 100000)')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;fleet;tune' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The fleet''s configuration (TOML or JSON) instead of a live fleet''s')
            [CompletionResult]::new('--p95-wait', '--p95-wait', [CompletionResultType]::ParameterName, '95 % of the jobs are to wait no longer than this, e.g. 10m')
            [CompletionResult]::new('--lost-share', '--lost-share', [CompletionResultType]::ParameterName, 'The largest share of the jobs that may be lost, from 0 to 1')
            [CompletionResult]::new('--arrivals', '--arrivals', [CompletionResultType]::ParameterName, 'When jobs come, as in `bpctl fleet simulate`')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Recorded arrivals: CSV (time, jobs since then) or the JSON of `aws cloudwatch get-metric-data`')
            [CompletionResult]::new('--from-cloudwatch', '--from-cloudwatch', [CompletionResultType]::ParameterName, 'What came lately, from the metrics of the live fleet: up to 15d [default for a live fleet: 14d]')
            [CompletionResult]::new('--days', '--days', [CompletionResultType]::ParameterName, 'Days to simulate, up to 3650 [default: 14, or the length of the recording]')
            [CompletionResult]::new('--seeds', '--seeds', [CompletionResultType]::ParameterName, 'Simulate every combination with so many seeds; the worst wait of them counts')
            [CompletionResult]::new('--plot', '--plot', [CompletionResultType]::ParameterName, 'Draw cost against wait into this file, which is replaced')
            [CompletionResult]::new('--backlog-target', '--backlog-target', [CompletionResultType]::ParameterName, 'Targets of the target tracking policy, e.g. 1,2,4')
            [CompletionResult]::new('--zero-minutes', '--zero-minutes', [CompletionResultType]::ParameterName, 'Minutes without jobs until the fleet goes to zero, e.g. 5,15,30')
            [CompletionResult]::new('--max', '--max', [CompletionResultType]::ParameterName, 'Largest sizes, e.g. 4,10,20')
            [CompletionResult]::new('--warmup', '--warmup', [CompletionResultType]::ParameterName, 'Warm-ups in seconds, e.g. 180,300')
            [CompletionResult]::new('--types', '--types', [CompletionResultType]::ParameterName, 'Instance types of the fleet in order of preference, e.g. g4dn.xlarge,g5.xlarge+g4dn.xlarge')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;fleet;scale-to-zero' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for jobs and instances, e.g. 90s or 1h [default: wait_timeout, 30m]')
            [CompletionResult]::new('--confirm', '--confirm', [CompletionResultType]::ParameterName, 'Confirm a destructive change (or any change in a protected context) by its name')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Every fleet of the context (of one stage with --stage)')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'Wait until each fleet''s queue is empty and no worker has a job')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Go on although running jobs are lost, or may be')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan and change nothing')
            [CompletionResult]::new('--exit-code', '--exit-code', [CompletionResultType]::ParameterName, 'With --dry-run: exit with status 9 when there is something to change')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before reversible changes')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before reversible changes')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;fleet;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the GPU fleets')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show capacity, queue, pointers, alarms and the last scaling activity of fleets')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say why a fleet has the capacity it has, why not more, and why not zero')
            [CompletionResult]::new('lint', 'lint', [CompletionResultType]::ParameterValue, 'Find what in the scaling of fleets works against itself')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Compare what a fleet''s group did with what its policies asked for')
            [CompletionResult]::new('simulate', 'simulate', [CompletionResultType]::ParameterValue, 'Simulate a fleet over days: how long jobs wait, what it costs, what is lost')
            [CompletionResult]::new('tune', 'tune', [CompletionResultType]::ParameterValue, 'Find the cheapest configuration of a fleet that keeps the wait short')
            [CompletionResult]::new('scale-to-zero', 'scale-to-zero', [CompletionResultType]::ParameterValue, 'Set the desired capacity of fleets to 0 and see their instances leave')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bpctl;fleet;help;list' {
            break
        }
        'bpctl;fleet;help;status' {
            break
        }
        'bpctl;fleet;help;explain' {
            break
        }
        'bpctl;fleet;help;lint' {
            break
        }
        'bpctl;fleet;help;replay' {
            break
        }
        'bpctl;fleet;help;simulate' {
            break
        }
        'bpctl;fleet;help;tune' {
            break
        }
        'bpctl;fleet;help;scale-to-zero' {
            break
        }
        'bpctl;fleet;help;help' {
            break
        }
        'bpctl;triage' {
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with status 1 when there is a finding of this severity or worse')
            [CompletionResult]::new('--fleet', '--fleet', [CompletionResultType]::ParameterName, 'Look only at these GPU fleets, e.g. production/gpu-default')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Report what is known after this time; the rest could not be checked')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;whoami' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start a sandbox in the background')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop the running sandbox')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show the running sandbox: address, simulated time, scenarios')
            [CompletionResult]::new('reset', 'reset', [CompletionResultType]::ParameterValue, 'Start over: the same account as in the beginning')
            [CompletionResult]::new('advance', 'advance', [CompletionResultType]::ParameterValue, 'Let simulated time pass at once')
            [CompletionResult]::new('scenario', 'scenario', [CompletionResultType]::ParameterValue, 'The ways the platform breaks')
            [CompletionResult]::new('reveal', 'reveal', [CompletionResultType]::ParameterValue, 'Tell which scenarios are in force, also after a random start')
            [CompletionResult]::new('env', 'env', [CompletionResultType]::ParameterValue, 'Print the environment that points any AWS tool at the running sandbox')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run a sandbox in the foreground until Ctrl-C')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Start a sandbox, run a command against it, stop it; the status is the command''s')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bpctl;sandbox;start' {
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'What is broken; may be repeated; `?` picks one at random (a drill)')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'Simulated seconds per second')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of every id and every random draw')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'When the operator arrives, e.g. 2026-01-15T09:00:00Z [default: now]')
            [CompletionResult]::new('--fleets', '--fleets', [CompletionResultType]::ParameterName, 'This many busy production fleets instead of the platform''s own')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'Added to every API call, to meet the network that AWS has')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;stop' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;status' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;reset' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;advance' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;scenario' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List every scenario and what an operator should find in it')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Break the running sandbox: exactly these scenarios from now on')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Mend the running sandbox')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bpctl;sandbox;scenario;list' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;scenario;set' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;scenario;clear' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;scenario;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List every scenario and what an operator should find in it')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Break the running sandbox: exactly these scenarios from now on')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Mend the running sandbox')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bpctl;sandbox;scenario;help;list' {
            break
        }
        'bpctl;sandbox;scenario;help;set' {
            break
        }
        'bpctl;sandbox;scenario;help;clear' {
            break
        }
        'bpctl;sandbox;scenario;help;help' {
            break
        }
        'bpctl;sandbox;reveal' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;env' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;serve' {
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'What is broken; may be repeated; `?` picks one at random (a drill)')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'Simulated seconds per second')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of every id and every random draw')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'When the operator arrives, e.g. 2026-01-15T09:00:00Z [default: now]')
            [CompletionResult]::new('--fleets', '--fleets', [CompletionResultType]::ParameterName, 'This many busy production fleets instead of the platform''s own')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'Added to every API call, to meet the network that AWS has')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port on 127.0.0.1; 0 is any that is free')
            [CompletionResult]::new('--state-file', '--state-file', [CompletionResultType]::ParameterName, 'Where to write address and token instead of the usual place')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;run' {
            [CompletionResult]::new('--scenario', '--scenario', [CompletionResultType]::ParameterName, 'What is broken; may be repeated; `?` picks one at random (a drill)')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'Simulated seconds per second')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of every id and every random draw')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'When the operator arrives, e.g. 2026-01-15T09:00:00Z [default: now]')
            [CompletionResult]::new('--fleets', '--fleets', [CompletionResultType]::ParameterName, 'This many busy production fleets instead of the platform''s own')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'Added to every API call, to meet the network that AWS has')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;sandbox;help' {
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start a sandbox in the background')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop the running sandbox')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show the running sandbox: address, simulated time, scenarios')
            [CompletionResult]::new('reset', 'reset', [CompletionResultType]::ParameterValue, 'Start over: the same account as in the beginning')
            [CompletionResult]::new('advance', 'advance', [CompletionResultType]::ParameterValue, 'Let simulated time pass at once')
            [CompletionResult]::new('scenario', 'scenario', [CompletionResultType]::ParameterValue, 'The ways the platform breaks')
            [CompletionResult]::new('reveal', 'reveal', [CompletionResultType]::ParameterValue, 'Tell which scenarios are in force, also after a random start')
            [CompletionResult]::new('env', 'env', [CompletionResultType]::ParameterValue, 'Print the environment that points any AWS tool at the running sandbox')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run a sandbox in the foreground until Ctrl-C')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Start a sandbox, run a command against it, stop it; the status is the command''s')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bpctl;sandbox;help;start' {
            break
        }
        'bpctl;sandbox;help;stop' {
            break
        }
        'bpctl;sandbox;help;status' {
            break
        }
        'bpctl;sandbox;help;reset' {
            break
        }
        'bpctl;sandbox;help;advance' {
            break
        }
        'bpctl;sandbox;help;scenario' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List every scenario and what an operator should find in it')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Break the running sandbox: exactly these scenarios from now on')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Mend the running sandbox')
            break
        }
        'bpctl;sandbox;help;scenario;list' {
            break
        }
        'bpctl;sandbox;help;scenario;set' {
            break
        }
        'bpctl;sandbox;help;scenario;clear' {
            break
        }
        'bpctl;sandbox;help;reveal' {
            break
        }
        'bpctl;sandbox;help;env' {
            break
        }
        'bpctl;sandbox;help;serve' {
            break
        }
        'bpctl;sandbox;help;run' {
            break
        }
        'bpctl;sandbox;help;help' {
            break
        }
        'bpctl;config' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('view', 'view', [CompletionResultType]::ParameterValue, 'Show every setting in force')
            [CompletionResult]::new('get-contexts', 'get-contexts', [CompletionResultType]::ParameterValue, 'List the contexts')
            [CompletionResult]::new('use-context', 'use-context', [CompletionResultType]::ParameterValue, 'Make a context the current one')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say which of flag, environment, file and default decided a setting')
            [CompletionResult]::new('names', 'names', [CompletionResultType]::ParameterValue, 'List every name that the layout gives: stacks, services, parameters, alarms and so on')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bpctl;config;view' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;config;get-contexts' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;config;use-context' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;config;explain' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;config;names' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;config;help' {
            [CompletionResult]::new('view', 'view', [CompletionResultType]::ParameterValue, 'Show every setting in force')
            [CompletionResult]::new('get-contexts', 'get-contexts', [CompletionResultType]::ParameterValue, 'List the contexts')
            [CompletionResult]::new('use-context', 'use-context', [CompletionResultType]::ParameterValue, 'Make a context the current one')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say which of flag, environment, file and default decided a setting')
            [CompletionResult]::new('names', 'names', [CompletionResultType]::ParameterValue, 'List every name that the layout gives: stacks, services, parameters, alarms and so on')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bpctl;config;help;view' {
            break
        }
        'bpctl;config;help;get-contexts' {
            break
        }
        'bpctl;config;help;use-context' {
            break
        }
        'bpctl;config;help;explain' {
            break
        }
        'bpctl;config;help;names' {
            break
        }
        'bpctl;config;help;help' {
            break
        }
        'bpctl;completion' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;man' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Write bpctl.1 and one page per command into this folder')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;exit-codes' {
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]')
            [CompletionResult]::new('--config-file', '--config-file', [CompletionResultType]::ParameterName, 'Configuration file of bpctl [env: BPCTL_CONFIG]')
            [CompletionResult]::new('--layout', '--layout', [CompletionResultType]::ParameterName, 'Naming layout: single or staged')
            [CompletionResult]::new('--stage', '--stage', [CompletionResultType]::ParameterName, 'Stage of the system (staged layout), or only GPU fleets of this stage')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Profile in the AWS configuration files')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region')
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'Role to assume')
            [CompletionResult]::new('--account-id', '--account-id', [CompletionResultType]::ParameterName, 'Refuse to run in any other account')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Send API calls here instead of to AWS')
            [CompletionResult]::new('--infra-dir', '--infra-dir', [CompletionResultType]::ParameterName, 'Folder of the infrastructure code')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--query', '--query', [CompletionResultType]::ParameterName, 'JMESPath over the JSON document')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also show what the SDK does (finer: BPCTL_LOG=debug)')
            [CompletionResult]::new('--api-stats', '--api-stats', [CompletionResultType]::ParameterName, 'Count API calls per operation on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bpctl;help' {
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Migrate the databases in a one-off task and follow it to its end')
            [CompletionResult]::new('fleet', 'fleet', [CompletionResultType]::ParameterValue, 'Look at GPU fleets, understand how they scale, and take them to zero')
            [CompletionResult]::new('triage', 'triage', [CompletionResultType]::ParameterValue, 'Find out what is wrong with the platform, why, and what to do next')
            [CompletionResult]::new('whoami', 'whoami', [CompletionResultType]::ParameterValue, 'Show the account, principal, region and context that commands would use')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Try, rehearse and test everything in a simulated account')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Look at contexts and settings, and choose a context')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page, or write all pages into a folder')
            [CompletionResult]::new('exit-codes', 'exit-codes', [CompletionResultType]::ParameterValue, 'Exit statuses that scripts can rely on')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bpctl;help;migrate' {
            break
        }
        'bpctl;help;fleet' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the GPU fleets')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show capacity, queue, pointers, alarms and the last scaling activity of fleets')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say why a fleet has the capacity it has, why not more, and why not zero')
            [CompletionResult]::new('lint', 'lint', [CompletionResultType]::ParameterValue, 'Find what in the scaling of fleets works against itself')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Compare what a fleet''s group did with what its policies asked for')
            [CompletionResult]::new('simulate', 'simulate', [CompletionResultType]::ParameterValue, 'Simulate a fleet over days: how long jobs wait, what it costs, what is lost')
            [CompletionResult]::new('tune', 'tune', [CompletionResultType]::ParameterValue, 'Find the cheapest configuration of a fleet that keeps the wait short')
            [CompletionResult]::new('scale-to-zero', 'scale-to-zero', [CompletionResultType]::ParameterValue, 'Set the desired capacity of fleets to 0 and see their instances leave')
            break
        }
        'bpctl;help;fleet;list' {
            break
        }
        'bpctl;help;fleet;status' {
            break
        }
        'bpctl;help;fleet;explain' {
            break
        }
        'bpctl;help;fleet;lint' {
            break
        }
        'bpctl;help;fleet;replay' {
            break
        }
        'bpctl;help;fleet;simulate' {
            break
        }
        'bpctl;help;fleet;tune' {
            break
        }
        'bpctl;help;fleet;scale-to-zero' {
            break
        }
        'bpctl;help;triage' {
            break
        }
        'bpctl;help;whoami' {
            break
        }
        'bpctl;help;sandbox' {
            [CompletionResult]::new('start', 'start', [CompletionResultType]::ParameterValue, 'Start a sandbox in the background')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop the running sandbox')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show the running sandbox: address, simulated time, scenarios')
            [CompletionResult]::new('reset', 'reset', [CompletionResultType]::ParameterValue, 'Start over: the same account as in the beginning')
            [CompletionResult]::new('advance', 'advance', [CompletionResultType]::ParameterValue, 'Let simulated time pass at once')
            [CompletionResult]::new('scenario', 'scenario', [CompletionResultType]::ParameterValue, 'The ways the platform breaks')
            [CompletionResult]::new('reveal', 'reveal', [CompletionResultType]::ParameterValue, 'Tell which scenarios are in force, also after a random start')
            [CompletionResult]::new('env', 'env', [CompletionResultType]::ParameterValue, 'Print the environment that points any AWS tool at the running sandbox')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run a sandbox in the foreground until Ctrl-C')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Start a sandbox, run a command against it, stop it; the status is the command''s')
            break
        }
        'bpctl;help;sandbox;start' {
            break
        }
        'bpctl;help;sandbox;stop' {
            break
        }
        'bpctl;help;sandbox;status' {
            break
        }
        'bpctl;help;sandbox;reset' {
            break
        }
        'bpctl;help;sandbox;advance' {
            break
        }
        'bpctl;help;sandbox;scenario' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List every scenario and what an operator should find in it')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Break the running sandbox: exactly these scenarios from now on')
            [CompletionResult]::new('clear', 'clear', [CompletionResultType]::ParameterValue, 'Mend the running sandbox')
            break
        }
        'bpctl;help;sandbox;scenario;list' {
            break
        }
        'bpctl;help;sandbox;scenario;set' {
            break
        }
        'bpctl;help;sandbox;scenario;clear' {
            break
        }
        'bpctl;help;sandbox;reveal' {
            break
        }
        'bpctl;help;sandbox;env' {
            break
        }
        'bpctl;help;sandbox;serve' {
            break
        }
        'bpctl;help;sandbox;run' {
            break
        }
        'bpctl;help;config' {
            [CompletionResult]::new('view', 'view', [CompletionResultType]::ParameterValue, 'Show every setting in force')
            [CompletionResult]::new('get-contexts', 'get-contexts', [CompletionResultType]::ParameterValue, 'List the contexts')
            [CompletionResult]::new('use-context', 'use-context', [CompletionResultType]::ParameterValue, 'Make a context the current one')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Say which of flag, environment, file and default decided a setting')
            [CompletionResult]::new('names', 'names', [CompletionResultType]::ParameterValue, 'List every name that the layout gives: stacks, services, parameters, alarms and so on')
            break
        }
        'bpctl;help;config;view' {
            break
        }
        'bpctl;help;config;get-contexts' {
            break
        }
        'bpctl;help;config;use-context' {
            break
        }
        'bpctl;help;config;explain' {
            break
        }
        'bpctl;help;config;names' {
            break
        }
        'bpctl;help;completion' {
            break
        }
        'bpctl;help;man' {
            break
        }
        'bpctl;help;exit-codes' {
            break
        }
        'bpctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
