# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_bpctl_global_optspecs
    string join \n context= config-file= layout= stage= profile= region= role-arn= account-id= endpoint-url= infra-dir= o/output= query= q/quiet v/verbose color= api-stats h/help V/version
end

function __fish_bpctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_bpctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_bpctl_using_subcommand
    set -l cmd (__fish_bpctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c bpctl -n "__fish_bpctl_needs_command" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_needs_command" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_needs_command" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_needs_command" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_needs_command" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_needs_command" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_needs_command" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_needs_command" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_needs_command" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_needs_command" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_needs_command" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_needs_command" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_needs_command" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_needs_command" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_needs_command" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_needs_command" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_needs_command" -s V -l version -d 'Print version'
complete -c bpctl -n "__fish_bpctl_needs_command" -f -a "migrate" -d 'Migrate the databases in a one-off task and follow it to its end'
complete -c bpctl -n "__fish_bpctl_needs_command" -f -a "fleet" -d 'Look at GPU fleets, understand how they scale, and take them to zero'
complete -c bpctl -n "__fish_bpctl_needs_command" -f -a "triage" -d 'Find out what is wrong with the platform, why, and what to do next'
complete -c bpctl -n "__fish_bpctl_needs_command" -f -a "whoami" -d 'Show the account, principal, region and context that commands would use'
complete -c bpctl -n "__fish_bpctl_needs_command" -f -a "sandbox" -d 'Try, rehearse and test everything in a simulated account'
complete -c bpctl -n "__fish_bpctl_needs_command" -f -a "config" -d 'Look at contexts and settings, and choose a context'
complete -c bpctl -n "__fish_bpctl_needs_command" -f -a "completion" -d 'Print the completion script of a shell'
complete -c bpctl -n "__fish_bpctl_needs_command" -f -a "man" -d 'Print the manual page, or write all pages into a folder'
complete -c bpctl -n "__fish_bpctl_needs_command" -f -a "exit-codes" -d 'Exit statuses that scripts can rely on'
complete -c bpctl -n "__fish_bpctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l pools -d 'Migrate only these tenant pools (implies --tenant)' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l timeout -d 'Follow the task this long [default: wait_timeout of the context, 30m]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l attach -d 'Follow a migration that was started before: id or ARN of its task' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l subnets -d 'Subnets of the task [env: PRIVATE_SUBNET_IDS, a JSON array] [default: the service\'s]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l security-groups -d 'Security groups of the task [env: BACKEND_SG_ID] [default: the service\'s]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l confirm -d 'Confirm a destructive change (or any change in a protected context) by its name' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l central -d 'Migrate the central database'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l tenant -d 'Migrate the tenant pools'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l fresh -d 'Drop all tables first'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l snapshot -d 'Take a snapshot of the database first; without it nothing is migrated'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l detach -d 'Start the task and return'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l stop-on-interrupt -d 'On Ctrl-C stop the task instead of leaving it running'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l print-aws -d 'Print the equivalent aws command lines and change nothing'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l dry-run -d 'Show the plan and change nothing'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l exit-code -d 'With --dry-run: exit with status 9 when there is something to change'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -s y -l yes -d 'Do not ask before reversible changes'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand migrate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -f -a "list" -d 'List the GPU fleets'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -f -a "ls" -d 'List the GPU fleets'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -f -a "status" -d 'Show capacity, queue, pointers, alarms and the last scaling activity of fleets'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -f -a "explain" -d 'Say why a fleet has the capacity it has, why not more, and why not zero'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -f -a "lint" -d 'Find what in the scaling of fleets works against itself'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -f -a "replay" -d 'Compare what a fleet\'s group did with what its policies asked for'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -f -a "simulate" -d 'Simulate a fleet over days: how long jobs wait, what it costs, what is lost'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -f -a "tune" -d 'Find the cheapest configuration of a fleet that keeps the wait short'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -f -a "scale-to-zero" -d 'Set the desired capacity of fleets to 0 and see their instances leave'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and not __fish_seen_subcommand_from list ls status explain lint replay simulate tune scale-to-zero help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l what-if -d 'Suppose a steady queue depth (queue=N), so many warm workers (workers=N), or that Spot has no capacity (spot=none); joined by commas' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l config -d 'A configuration (TOML or JSON) instead of a live fleet\'s' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l fail-on -d 'End with status 1 when there is a finding of this severity or worse' -r -f -a "error\t'Work is lost, or the fleet stays down'
warning\t'It costs money or time'
note\t'Anything at all'
never\t'Whatever is found, end with status 0'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from lint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l since -d 'How far back, up to 14 days: CloudWatch keeps single minutes for 15' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l exit-code -d 'End with status 9 when group and policies disagree'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l config -d 'The fleet\'s configuration (TOML or JSON) instead of a live fleet\'s' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l arrivals -d 'When jobs come: constant:20/h, poisson:20/h, daily:2..40/h, burst:50@09:00 (every day), burst:50@90m (once), trace:FILE, none, or several joined by +' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l days -d 'Days to simulate, up to 3650 [default: 30, or the length of the trace]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l seed -d 'Seed of the random numbers' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l plot -d 'Draw queue, instances and desired capacity over time into this file, which is replaced' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l points -d 'Put the course over time into the JSON document, in so many points (at most 100000)' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from simulate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l config -d 'The fleet\'s configuration (TOML or JSON) instead of a live fleet\'s' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l p95-wait -d '95 % of the jobs are to wait no longer than this, e.g. 10m' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l lost-share -d 'The largest share of the jobs that may be lost, from 0 to 1' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l arrivals -d 'When jobs come, as in `bpctl fleet simulate`' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l trace -d 'Recorded arrivals: CSV (time, jobs since then) or the JSON of `aws cloudwatch get-metric-data`' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l from-cloudwatch -d 'What came lately, from the metrics of the live fleet: up to 15d [default for a live fleet: 14d]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l days -d 'Days to simulate, up to 3650 [default: 14, or the length of the recording]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l seeds -d 'Simulate every combination with so many seeds; the worst wait of them counts' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l plot -d 'Draw cost against wait into this file, which is replaced' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l backlog-target -d 'Targets of the target tracking policy, e.g. 1,2,4' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l zero-minutes -d 'Minutes without jobs until the fleet goes to zero, e.g. 5,15,30' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l max -d 'Largest sizes, e.g. 4,10,20' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l warmup -d 'Warm-ups in seconds, e.g. 180,300' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l types -d 'Instance types of the fleet in order of preference, e.g. g4dn.xlarge,g5.xlarge+g4dn.xlarge' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from tune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l timeout -d 'How long to wait for jobs and instances, e.g. 90s or 1h [default: wait_timeout, 30m]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l confirm -d 'Confirm a destructive change (or any change in a protected context) by its name' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l all -d 'Every fleet of the context (of one stage with --stage)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l drain -d 'Wait until each fleet\'s queue is empty and no worker has a job'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l force -d 'Go on although running jobs are lost, or may be'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l dry-run -d 'Show the plan and change nothing'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l exit-code -d 'With --dry-run: exit with status 9 when there is something to change'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -s y -l yes -d 'Do not ask before reversible changes'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from scale-to-zero" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the GPU fleets'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show capacity, queue, pointers, alarms and the last scaling activity of fleets'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "explain" -d 'Say why a fleet has the capacity it has, why not more, and why not zero'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "lint" -d 'Find what in the scaling of fleets works against itself'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "replay" -d 'Compare what a fleet\'s group did with what its policies asked for'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "simulate" -d 'Simulate a fleet over days: how long jobs wait, what it costs, what is lost'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "tune" -d 'Find the cheapest configuration of a fleet that keeps the wait short'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "scale-to-zero" -d 'Set the desired capacity of fleets to 0 and see their instances leave'
complete -c bpctl -n "__fish_bpctl_using_subcommand fleet; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l fail-on -d 'End with status 1 when there is a finding of this severity or worse' -r -f -a "P1\t'Users are harmed now'
P2\t'Users will be harmed, or some are'
P3\t'Anything at all'
never\t'Whatever is found, end with status 0'"
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l fleet -d 'Look only at these GPU fleets, e.g. production/gpu-default' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l timeout -d 'Report what is known after this time; the rest could not be checked' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand triage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand whoami" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "start" -d 'Start a sandbox in the background'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "stop" -d 'Stop the running sandbox'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "status" -d 'Show the running sandbox: address, simulated time, scenarios'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "reset" -d 'Start over: the same account as in the beginning'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "advance" -d 'Let simulated time pass at once'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "scenario" -d 'The ways the platform breaks'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "reveal" -d 'Tell which scenarios are in force, also after a random start'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "env" -d 'Print the environment that points any AWS tool at the running sandbox'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "serve" -d 'Run a sandbox in the foreground until Ctrl-C'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "run" -d 'Start a sandbox, run a command against it, stop it; the status is the command\'s'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and not __fish_seen_subcommand_from start stop status reset advance scenario reveal env serve run help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l scenario -d 'What is broken; may be repeated; `?` picks one at random (a drill)' -r -f -a "healthy\t''
migration-fails\t''
migration-slow\t''
pull-error\t''
crash-loop\t''
breaker-rollback\t''
secret-missing\t''
capacity-unavailable\t''
alb-5xx\t''
backend-502\t''
no-healthy-targets\t''
rds-cpu\t''
rds-storage-low\t''
rds-refused\t''
fleet-secret-placeholder\t''
ami-missing\t''
ami-wrong-type\t''
metrics-silent\t''
wrong-dimensions\t''
scale-to-zero-unsubscribed\t''
spot-drought\t''
queue-surge\t''
nat-exhausted\t''
ecr-tag-missing\t''
throttled\t''
expired-credentials\t''
?\t''"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l speed -d 'Simulated seconds per second' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l seed -d 'Seed of every id and every random draw' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l at -d 'When the operator arrives, e.g. 2026-01-15T09:00:00Z [default: now]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l fleets -d 'This many busy production fleets instead of the platform\'s own' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l latency -d 'Added to every API call, to meet the network that AWS has' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reset" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from advance" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -f -a "list" -d 'List every scenario and what an operator should find in it'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -f -a "set" -d 'Break the running sandbox: exactly these scenarios from now on'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -f -a "clear" -d 'Mend the running sandbox'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from scenario" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from reveal" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from env" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l scenario -d 'What is broken; may be repeated; `?` picks one at random (a drill)' -r -f -a "healthy\t''
migration-fails\t''
migration-slow\t''
pull-error\t''
crash-loop\t''
breaker-rollback\t''
secret-missing\t''
capacity-unavailable\t''
alb-5xx\t''
backend-502\t''
no-healthy-targets\t''
rds-cpu\t''
rds-storage-low\t''
rds-refused\t''
fleet-secret-placeholder\t''
ami-missing\t''
ami-wrong-type\t''
metrics-silent\t''
wrong-dimensions\t''
scale-to-zero-unsubscribed\t''
spot-drought\t''
queue-surge\t''
nat-exhausted\t''
ecr-tag-missing\t''
throttled\t''
expired-credentials\t''
?\t''"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l speed -d 'Simulated seconds per second' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l seed -d 'Seed of every id and every random draw' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l at -d 'When the operator arrives, e.g. 2026-01-15T09:00:00Z [default: now]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l fleets -d 'This many busy production fleets instead of the platform\'s own' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l latency -d 'Added to every API call, to meet the network that AWS has' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l port -d 'Port on 127.0.0.1; 0 is any that is free' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l state-file -d 'Where to write address and token instead of the usual place' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l scenario -d 'What is broken; may be repeated; `?` picks one at random (a drill)' -r -f -a "healthy\t''
migration-fails\t''
migration-slow\t''
pull-error\t''
crash-loop\t''
breaker-rollback\t''
secret-missing\t''
capacity-unavailable\t''
alb-5xx\t''
backend-502\t''
no-healthy-targets\t''
rds-cpu\t''
rds-storage-low\t''
rds-refused\t''
fleet-secret-placeholder\t''
ami-missing\t''
ami-wrong-type\t''
metrics-silent\t''
wrong-dimensions\t''
scale-to-zero-unsubscribed\t''
spot-drought\t''
queue-surge\t''
nat-exhausted\t''
ecr-tag-missing\t''
throttled\t''
expired-credentials\t''
?\t''"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l speed -d 'Simulated seconds per second' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l seed -d 'Seed of every id and every random draw' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l at -d 'When the operator arrives, e.g. 2026-01-15T09:00:00Z [default: now]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l fleets -d 'This many busy production fleets instead of the platform\'s own' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l latency -d 'Added to every API call, to meet the network that AWS has' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "start" -d 'Start a sandbox in the background'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "stop" -d 'Stop the running sandbox'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show the running sandbox: address, simulated time, scenarios'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "reset" -d 'Start over: the same account as in the beginning'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "advance" -d 'Let simulated time pass at once'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "scenario" -d 'The ways the platform breaks'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "reveal" -d 'Tell which scenarios are in force, also after a random start'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "env" -d 'Print the environment that points any AWS tool at the running sandbox'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "serve" -d 'Run a sandbox in the foreground until Ctrl-C'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "run" -d 'Start a sandbox, run a command against it, stop it; the status is the command\'s'
complete -c bpctl -n "__fish_bpctl_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -f -a "view" -d 'Show every setting in force'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -f -a "get-contexts" -d 'List the contexts'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -f -a "use-context" -d 'Make a context the current one'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -f -a "explain" -d 'Say which of flag, environment, file and default decided a setting'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -f -a "names" -d 'List every name that the layout gives: stacks, services, parameters, alarms and so on'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and not __fish_seen_subcommand_from view get-contexts use-context explain names help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from view" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from get-contexts" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from use-context" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from names" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "view" -d 'Show every setting in force'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "get-contexts" -d 'List the contexts'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "use-context" -d 'Make a context the current one'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "explain" -d 'Say which of flag, environment, file and default decided a setting'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "names" -d 'List every name that the layout gives: stacks, services, parameters, alarms and so on'
complete -c bpctl -n "__fish_bpctl_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l dir -d 'Write bpctl.1 and one page per command into this folder' -r -f -a "(__fish_complete_directories)"
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l context -d 'Context from bpctl.toml, or `sandbox` [env: BPCTL_CONTEXT]' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l config-file -d 'Configuration file of bpctl [env: BPCTL_CONFIG]' -r -F
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l layout -d 'Naming layout: single or staged' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l stage -d 'Stage of the system (staged layout), or only GPU fleets of this stage' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l profile -d 'Profile in the AWS configuration files' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l region -d 'AWS region' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l role-arn -d 'Role to assume' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l account-id -d 'Refuse to run in any other account' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l endpoint-url -d 'Send API calls here instead of to AWS' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l infra-dir -d 'Folder of the infrastructure code' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -s o -l output -d 'Output format' -r -f -a "table\t'Columns for people'
wide\t'More columns'
json\t'One JSON document with a `schema`'
yaml\t'The same as YAML'
jsonl\t'One JSON document per line and item'
name\t'Names only, one per line'
markdown\t'Markdown, for tickets and job summaries'"
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l query -d 'JMESPath over the JSON document' -r
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l color -d 'Colour: auto, always or never' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -s q -l quiet -d 'Say only what went wrong'
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -s v -l verbose -d 'Also show what the SDK does (finer: BPCTL_LOG=debug)'
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -l api-stats -d 'Count API calls per operation on stderr'
complete -c bpctl -n "__fish_bpctl_using_subcommand exit-codes" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and not __fish_seen_subcommand_from migrate fleet triage whoami sandbox config completion man exit-codes help" -f -a "migrate" -d 'Migrate the databases in a one-off task and follow it to its end'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and not __fish_seen_subcommand_from migrate fleet triage whoami sandbox config completion man exit-codes help" -f -a "fleet" -d 'Look at GPU fleets, understand how they scale, and take them to zero'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and not __fish_seen_subcommand_from migrate fleet triage whoami sandbox config completion man exit-codes help" -f -a "triage" -d 'Find out what is wrong with the platform, why, and what to do next'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and not __fish_seen_subcommand_from migrate fleet triage whoami sandbox config completion man exit-codes help" -f -a "whoami" -d 'Show the account, principal, region and context that commands would use'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and not __fish_seen_subcommand_from migrate fleet triage whoami sandbox config completion man exit-codes help" -f -a "sandbox" -d 'Try, rehearse and test everything in a simulated account'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and not __fish_seen_subcommand_from migrate fleet triage whoami sandbox config completion man exit-codes help" -f -a "config" -d 'Look at contexts and settings, and choose a context'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and not __fish_seen_subcommand_from migrate fleet triage whoami sandbox config completion man exit-codes help" -f -a "completion" -d 'Print the completion script of a shell'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and not __fish_seen_subcommand_from migrate fleet triage whoami sandbox config completion man exit-codes help" -f -a "man" -d 'Print the manual page, or write all pages into a folder'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and not __fish_seen_subcommand_from migrate fleet triage whoami sandbox config completion man exit-codes help" -f -a "exit-codes" -d 'Exit statuses that scripts can rely on'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and not __fish_seen_subcommand_from migrate fleet triage whoami sandbox config completion man exit-codes help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "list" -d 'List the GPU fleets'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "status" -d 'Show capacity, queue, pointers, alarms and the last scaling activity of fleets'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "explain" -d 'Say why a fleet has the capacity it has, why not more, and why not zero'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "lint" -d 'Find what in the scaling of fleets works against itself'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "replay" -d 'Compare what a fleet\'s group did with what its policies asked for'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "simulate" -d 'Simulate a fleet over days: how long jobs wait, what it costs, what is lost'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "tune" -d 'Find the cheapest configuration of a fleet that keeps the wait short'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from fleet" -f -a "scale-to-zero" -d 'Set the desired capacity of fleets to 0 and see their instances leave'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "start" -d 'Start a sandbox in the background'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "stop" -d 'Stop the running sandbox'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "status" -d 'Show the running sandbox: address, simulated time, scenarios'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "reset" -d 'Start over: the same account as in the beginning'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "advance" -d 'Let simulated time pass at once'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "scenario" -d 'The ways the platform breaks'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "reveal" -d 'Tell which scenarios are in force, also after a random start'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "env" -d 'Print the environment that points any AWS tool at the running sandbox'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "serve" -d 'Run a sandbox in the foreground until Ctrl-C'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "run" -d 'Start a sandbox, run a command against it, stop it; the status is the command\'s'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "view" -d 'Show every setting in force'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "get-contexts" -d 'List the contexts'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "use-context" -d 'Make a context the current one'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "explain" -d 'Say which of flag, environment, file and default decided a setting'
complete -c bpctl -n "__fish_bpctl_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "names" -d 'List every name that the layout gives: stacks, services, parameters, alarms and so on'
