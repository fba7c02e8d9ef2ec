package commands

import (
	"testing"
)

// TestCompletionOnATerminal presses the tab key in bash and zsh. The line is not that of the program, but of a
// function of its name that shows its arguments: a completed name must arrive unchanged.
func TestCompletionOnATerminal(t *testing.T) {
	t.Parallel()
	real := mustFind(t, "elastic-ingest")
	for shell, arguments := range map[string][]string{"bash": {"--norc", "--noprofile", "-i"}, "zsh": {"-f", "-i"}} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			dir, script := completionFolder(t, shell)
			c := programIn(t, dir)
			c.Path, c.Args = mustFind(t, shell), append([]string{shell}, arguments...)
			c.Env = append(c.Env, "PS1=ready> ", "PROMPT=ready> ", "TERM=dumb", "HOME="+t.TempDir())
			p := onTerminal(t, 200, c)
			p.await("ready> ")
			begin := "source " + script
			if shell == "zsh" {
				begin = "unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; " + begin
			}
			p.send(begin + "; elastic-ingest() { if [ \"$1\" = __complete ]; then " + real + " \"$@\"; else printf '[%s]' \"$@\"; fi; }; echo loaded$((1+1))\n")
			p.await("loaded2")
			for typed, want := range map[string]string{
				"elastic-ingest dif\t":                     "[diff]",
				"elastic-ingest sync tw\t":                 "[sync][two words]",
				"elastic-ingest sync ba\t":                 "[sync][back`touch executed`tick;touch executed]",
				"elastic-ingest sync it\t":                 "[sync][it's \"quoted\"]",
				"elastic-ingest sync a\t":                  "[sync][a:b=c]",
				"elastic-ingest sync --type=inc\t":         "[sync][--type=incremental]",
				"elastic-ingest sync --dead-letter dead\t": "[sync][--dead-letter][dead letters.ndjson]",
			} {
				p.await("ready> ")
				p.send(typed + "\n")
				p.await(want)
			}
			nothingRan(t, dir)
		})
	}
}
