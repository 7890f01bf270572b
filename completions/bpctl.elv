
use builtin;
use str;

set edit:completion:arg-completer[bpctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'bpctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'bpctl'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand migrate 'Migrate the databases in a one-off task and follow it to its end'
            cand fleet 'Look at GPU fleets, understand how they scale, and take them to zero'
            cand triage 'Find out what is wrong with the platform, why, and what to do next'
            cand whoami 'Show the account, principal, region and context that commands would use'
            cand sandbox 'Try, rehearse and test everything in a simulated account'
            cand config 'Look at contexts and settings, and choose a context'
            cand completion 'Print the completion script of a shell'
            cand man 'Print the manual page, or write all pages into a folder'
            cand exit-codes 'Exit statuses that scripts can rely on'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'bpctl;migrate'= {
            cand --pools 'Migrate only these tenant pools (implies --tenant)'
            cand --timeout 'Follow the task this long [default: wait_timeout of the context, 30m]'
            cand --attach 'Follow a migration that was started before: id or ARN of its task'
            cand --subnets 'Subnets of the task [env: PRIVATE_SUBNET_IDS, a JSON array] [default: the service''s]'
            cand --security-groups 'Security groups of the task [env: BACKEND_SG_ID] [default: the service''s]'
            cand --confirm 'Confirm a destructive change (or any change in a protected context) by its name'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand --central 'Migrate the central database'
            cand --tenant 'Migrate the tenant pools'
            cand --fresh 'Drop all tables first'
            cand --snapshot 'Take a snapshot of the database first; without it nothing is migrated'
            cand --detach 'Start the task and return'
            cand --stop-on-interrupt 'On Ctrl-C stop the task instead of leaving it running'
            cand --print-aws 'Print the equivalent aws command lines and change nothing'
            cand --dry-run 'Show the plan and change nothing'
            cand --exit-code 'With --dry-run: exit with status 9 when there is something to change'
            cand -y 'Do not ask before reversible changes'
            cand --yes 'Do not ask before reversible changes'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;fleet'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand list 'List the GPU fleets'
            cand ls 'List the GPU fleets'
            cand status 'Show capacity, queue, pointers, alarms and the last scaling activity of fleets'
            cand explain 'Say why a fleet has the capacity it has, why not more, and why not zero'
            cand lint 'Find what in the scaling of fleets works against itself'
            cand replay 'Compare what a fleet''s group did with what its policies asked for'
            cand simulate 'Simulate a fleet over days: how long jobs wait, what it costs, what is lost'
            cand tune 'Find the cheapest configuration of a fleet that keeps the wait short'
            cand scale-to-zero 'Set the desired capacity of fleets to 0 and see their instances leave'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'bpctl;fleet;list'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;fleet;ls'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;fleet;status'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;fleet;explain'= {
            cand --what-if 'Suppose a steady queue depth (queue=N), so many warm workers (workers=N), or that Spot has no capacity (spot=none); joined by commas'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;fleet;lint'= {
            cand --config 'A configuration (TOML or JSON) instead of a live fleet''s'
            cand --fail-on 'End with status 1 when there is a finding of this severity or worse'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;fleet;replay'= {
            cand --since 'How far back, up to 14 days: CloudWatch keeps single minutes for 15'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand --exit-code 'End with status 9 when group and policies disagree'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;fleet;simulate'= {
            cand --config 'The fleet''s configuration (TOML or JSON) instead of a live fleet''s'
            cand --arrivals 'When jobs come: constant:20/h, poisson:20/h, daily:2..40/h, burst:50@09:00 (every day), burst:50@90m (once), trace:FILE, none, or several joined by +'
            cand --days 'Days to simulate, up to 3650 [default: 30, or the length of the trace]'
            cand --seed 'Seed of the random numbers'
            cand --plot 'Draw queue, instances and desired capacity over time into this file, which is replaced'
            cand --points 'Put the course over time into the JSON document, in so many points (at most 100000)'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;fleet;tune'= {
            cand --config 'The fleet''s configuration (TOML or JSON) instead of a live fleet''s'
            cand --p95-wait '95 % of the jobs are to wait no longer than this, e.g. 10m'
            cand --lost-share 'The largest share of the jobs that may be lost, from 0 to 1'
            cand --arrivals 'When jobs come, as in `bpctl fleet simulate`'
            cand --trace 'Recorded arrivals: CSV (time, jobs since then) or the JSON of `aws cloudwatch get-metric-data`'
            cand --from-cloudwatch 'What came lately, from the metrics of the live fleet: up to 15d [default for a live fleet: 14d]'
            cand --days 'Days to simulate, up to 3650 [default: 14, or the length of the recording]'
            cand --seeds 'Simulate every combination with so many seeds; the worst wait of them counts'
            cand --plot 'Draw cost against wait into this file, which is replaced'
            cand --backlog-target 'Targets of the target tracking policy, e.g. 1,2,4'
            cand --zero-minutes 'Minutes without jobs until the fleet goes to zero, e.g. 5,15,30'
            cand --max 'Largest sizes, e.g. 4,10,20'
            cand --warmup 'Warm-ups in seconds, e.g. 180,300'
            cand --types 'Instance types of the fleet in order of preference, e.g. g4dn.xlarge,g5.xlarge+g4dn.xlarge'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;fleet;scale-to-zero'= {
            cand --timeout 'How long to wait for jobs and instances, e.g. 90s or 1h [default: wait_timeout, 30m]'
            cand --confirm 'Confirm a destructive change (or any change in a protected context) by its name'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand --all 'Every fleet of the context (of one stage with --stage)'
            cand --drain 'Wait until each fleet''s queue is empty and no worker has a job'
            cand --force 'Go on although running jobs are lost, or may be'
            cand --dry-run 'Show the plan and change nothing'
            cand --exit-code 'With --dry-run: exit with status 9 when there is something to change'
            cand -y 'Do not ask before reversible changes'
            cand --yes 'Do not ask before reversible changes'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;fleet;help'= {
            cand list 'List the GPU fleets'
            cand status 'Show capacity, queue, pointers, alarms and the last scaling activity of fleets'
            cand explain 'Say why a fleet has the capacity it has, why not more, and why not zero'
            cand lint 'Find what in the scaling of fleets works against itself'
            cand replay 'Compare what a fleet''s group did with what its policies asked for'
            cand simulate 'Simulate a fleet over days: how long jobs wait, what it costs, what is lost'
            cand tune 'Find the cheapest configuration of a fleet that keeps the wait short'
            cand scale-to-zero 'Set the desired capacity of fleets to 0 and see their instances leave'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'bpctl;fleet;help;list'= {
        }
        &'bpctl;fleet;help;status'= {
        }
        &'bpctl;fleet;help;explain'= {
        }
        &'bpctl;fleet;help;lint'= {
        }
        &'bpctl;fleet;help;replay'= {
        }
        &'bpctl;fleet;help;simulate'= {
        }
        &'bpctl;fleet;help;tune'= {
        }
        &'bpctl;fleet;help;scale-to-zero'= {
        }
        &'bpctl;fleet;help;help'= {
        }
        &'bpctl;triage'= {
            cand --fail-on 'End with status 1 when there is a finding of this severity or worse'
            cand --fleet 'Look only at these GPU fleets, e.g. production/gpu-default'
            cand --timeout 'Report what is known after this time; the rest could not be checked'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;whoami'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand start 'Start a sandbox in the background'
            cand stop 'Stop the running sandbox'
            cand status 'Show the running sandbox: address, simulated time, scenarios'
            cand reset 'Start over: the same account as in the beginning'
            cand advance 'Let simulated time pass at once'
            cand scenario 'The ways the platform breaks'
            cand reveal 'Tell which scenarios are in force, also after a random start'
            cand env 'Print the environment that points any AWS tool at the running sandbox'
            cand serve 'Run a sandbox in the foreground until Ctrl-C'
            cand run 'Start a sandbox, run a command against it, stop it; the status is the command''s'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'bpctl;sandbox;start'= {
            cand --scenario 'What is broken; may be repeated; `?` picks one at random (a drill)'
            cand --speed 'Simulated seconds per second'
            cand --seed 'Seed of every id and every random draw'
            cand --at 'When the operator arrives, e.g. 2026-01-15T09:00:00Z [default: now]'
            cand --fleets 'This many busy production fleets instead of the platform''s own'
            cand --latency 'Added to every API call, to meet the network that AWS has'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;stop'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;status'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;reset'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;advance'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;scenario'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand list 'List every scenario and what an operator should find in it'
            cand set 'Break the running sandbox: exactly these scenarios from now on'
            cand clear 'Mend the running sandbox'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'bpctl;sandbox;scenario;list'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;scenario;set'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;scenario;clear'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;scenario;help'= {
            cand list 'List every scenario and what an operator should find in it'
            cand set 'Break the running sandbox: exactly these scenarios from now on'
            cand clear 'Mend the running sandbox'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'bpctl;sandbox;scenario;help;list'= {
        }
        &'bpctl;sandbox;scenario;help;set'= {
        }
        &'bpctl;sandbox;scenario;help;clear'= {
        }
        &'bpctl;sandbox;scenario;help;help'= {
        }
        &'bpctl;sandbox;reveal'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;env'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;serve'= {
            cand --scenario 'What is broken; may be repeated; `?` picks one at random (a drill)'
            cand --speed 'Simulated seconds per second'
            cand --seed 'Seed of every id and every random draw'
            cand --at 'When the operator arrives, e.g. 2026-01-15T09:00:00Z [default: now]'
            cand --fleets 'This many busy production fleets instead of the platform''s own'
            cand --latency 'Added to every API call, to meet the network that AWS has'
            cand --port 'Port on 127.0.0.1; 0 is any that is free'
            cand --state-file 'Where to write address and token instead of the usual place'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;run'= {
            cand --scenario 'What is broken; may be repeated; `?` picks one at random (a drill)'
            cand --speed 'Simulated seconds per second'
            cand --seed 'Seed of every id and every random draw'
            cand --at 'When the operator arrives, e.g. 2026-01-15T09:00:00Z [default: now]'
            cand --fleets 'This many busy production fleets instead of the platform''s own'
            cand --latency 'Added to every API call, to meet the network that AWS has'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;sandbox;help'= {
            cand start 'Start a sandbox in the background'
            cand stop 'Stop the running sandbox'
            cand status 'Show the running sandbox: address, simulated time, scenarios'
            cand reset 'Start over: the same account as in the beginning'
            cand advance 'Let simulated time pass at once'
            cand scenario 'The ways the platform breaks'
            cand reveal 'Tell which scenarios are in force, also after a random start'
            cand env 'Print the environment that points any AWS tool at the running sandbox'
            cand serve 'Run a sandbox in the foreground until Ctrl-C'
            cand run 'Start a sandbox, run a command against it, stop it; the status is the command''s'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'bpctl;sandbox;help;start'= {
        }
        &'bpctl;sandbox;help;stop'= {
        }
        &'bpctl;sandbox;help;status'= {
        }
        &'bpctl;sandbox;help;reset'= {
        }
        &'bpctl;sandbox;help;advance'= {
        }
        &'bpctl;sandbox;help;scenario'= {
            cand list 'List every scenario and what an operator should find in it'
            cand set 'Break the running sandbox: exactly these scenarios from now on'
            cand clear 'Mend the running sandbox'
        }
        &'bpctl;sandbox;help;scenario;list'= {
        }
        &'bpctl;sandbox;help;scenario;set'= {
        }
        &'bpctl;sandbox;help;scenario;clear'= {
        }
        &'bpctl;sandbox;help;reveal'= {
        }
        &'bpctl;sandbox;help;env'= {
        }
        &'bpctl;sandbox;help;serve'= {
        }
        &'bpctl;sandbox;help;run'= {
        }
        &'bpctl;sandbox;help;help'= {
        }
        &'bpctl;config'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand view 'Show every setting in force'
            cand get-contexts 'List the contexts'
            cand use-context 'Make a context the current one'
            cand explain 'Say which of flag, environment, file and default decided a setting'
            cand names 'List every name that the layout gives: stacks, services, parameters, alarms and so on'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'bpctl;config;view'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;config;get-contexts'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;config;use-context'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;config;explain'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;config;names'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;config;help'= {
            cand view 'Show every setting in force'
            cand get-contexts 'List the contexts'
            cand use-context 'Make a context the current one'
            cand explain 'Say which of flag, environment, file and default decided a setting'
            cand names 'List every name that the layout gives: stacks, services, parameters, alarms and so on'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'bpctl;config;help;view'= {
        }
        &'bpctl;config;help;get-contexts'= {
        }
        &'bpctl;config;help;use-context'= {
        }
        &'bpctl;config;help;explain'= {
        }
        &'bpctl;config;help;names'= {
        }
        &'bpctl;config;help;help'= {
        }
        &'bpctl;completion'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;man'= {
            cand --dir 'Write bpctl.1 and one page per command into this folder'
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;exit-codes'= {
            cand --context 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]'
            cand --config-file 'Configuration file of bpctl [env: BPCTL_CONFIG]'
            cand --layout 'Naming layout: single or staged'
            cand --stage 'Stage of the system (staged layout), or only GPU fleets of this stage'
            cand --profile 'Profile in the AWS configuration files'
            cand --region 'AWS region'
            cand --role-arn 'Role to assume'
            cand --account-id 'Refuse to run in any other account'
            cand --endpoint-url 'Send API calls here instead of to AWS'
            cand --infra-dir 'Folder of the infrastructure code'
            cand -o 'Output format'
            cand --output 'Output format'
            cand --query 'JMESPath over the JSON document'
            cand --color 'Colour: auto, always or never'
            cand -q 'Say only what went wrong'
            cand --quiet 'Say only what went wrong'
            cand -v 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --verbose 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
            cand --api-stats 'Count API calls per operation on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'bpctl;help'= {
            cand migrate 'Migrate the databases in a one-off task and follow it to its end'
            cand fleet 'Look at GPU fleets, understand how they scale, and take them to zero'
            cand triage 'Find out what is wrong with the platform, why, and what to do next'
            cand whoami 'Show the account, principal, region and context that commands would use'
            cand sandbox 'Try, rehearse and test everything in a simulated account'
            cand config 'Look at contexts and settings, and choose a context'
            cand completion 'Print the completion script of a shell'
            cand man 'Print the manual page, or write all pages into a folder'
            cand exit-codes 'Exit statuses that scripts can rely on'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'bpctl;help;migrate'= {
        }
        &'bpctl;help;fleet'= {
            cand list 'List the GPU fleets'
            cand status 'Show capacity, queue, pointers, alarms and the last scaling activity of fleets'
            cand explain 'Say why a fleet has the capacity it has, why not more, and why not zero'
            cand lint 'Find what in the scaling of fleets works against itself'
            cand replay 'Compare what a fleet''s group did with what its policies asked for'
            cand simulate 'Simulate a fleet over days: how long jobs wait, what it costs, what is lost'
            cand tune 'Find the cheapest configuration of a fleet that keeps the wait short'
            cand scale-to-zero 'Set the desired capacity of fleets to 0 and see their instances leave'
        }
        &'bpctl;help;fleet;list'= {
        }
        &'bpctl;help;fleet;status'= {
        }
        &'bpctl;help;fleet;explain'= {
        }
        &'bpctl;help;fleet;lint'= {
        }
        &'bpctl;help;fleet;replay'= {
        }
        &'bpctl;help;fleet;simulate'= {
        }
        &'bpctl;help;fleet;tune'= {
        }
        &'bpctl;help;fleet;scale-to-zero'= {
        }
        &'bpctl;help;triage'= {
        }
        &'bpctl;help;whoami'= {
        }
        &'bpctl;help;sandbox'= {
            cand start 'Start a sandbox in the background'
            cand stop 'Stop the running sandbox'
            cand status 'Show the running sandbox: address, simulated time, scenarios'
            cand reset 'Start over: the same account as in the beginning'
            cand advance 'Let simulated time pass at once'
            cand scenario 'The ways the platform breaks'
            cand reveal 'Tell which scenarios are in force, also after a random start'
            cand env 'Print the environment that points any AWS tool at the running sandbox'
            cand serve 'Run a sandbox in the foreground until Ctrl-C'
            cand run 'Start a sandbox, run a command against it, stop it; the status is the command''s'
        }
        &'bpctl;help;sandbox;start'= {
        }
        &'bpctl;help;sandbox;stop'= {
        }
        &'bpctl;help;sandbox;status'= {
        }
        &'bpctl;help;sandbox;reset'= {
        }
        &'bpctl;help;sandbox;advance'= {
        }
        &'bpctl;help;sandbox;scenario'= {
            cand list 'List every scenario and what an operator should find in it'
            cand set 'Break the running sandbox: exactly these scenarios from now on'
            cand clear 'Mend the running sandbox'
        }
        &'bpctl;help;sandbox;scenario;list'= {
        }
        &'bpctl;help;sandbox;scenario;set'= {
        }
        &'bpctl;help;sandbox;scenario;clear'= {
        }
        &'bpctl;help;sandbox;reveal'= {
        }
        &'bpctl;help;sandbox;env'= {
        }
        &'bpctl;help;sandbox;serve'= {
        }
        &'bpctl;help;sandbox;run'= {
        }
        &'bpctl;help;config'= {
            cand view 'Show every setting in force'
            cand get-contexts 'List the contexts'
            cand use-context 'Make a context the current one'
            cand explain 'Say which of flag, environment, file and default decided a setting'
            cand names 'List every name that the layout gives: stacks, services, parameters, alarms and so on'
        }
        &'bpctl;help;config;view'= {
        }
        &'bpctl;help;config;get-contexts'= {
        }
        &'bpctl;help;config;use-context'= {
        }
        &'bpctl;help;config;explain'= {
        }
        &'bpctl;help;config;names'= {
        }
        &'bpctl;help;completion'= {
        }
        &'bpctl;help;man'= {
        }
        &'bpctl;help;exit-codes'= {
        }
        &'bpctl;help;help'= {
        }
    ]
    $completions[$command]
}
