complete --keep-order --exclusive --command bpctl --arguments "(COMPLETE=fish bpctl -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
