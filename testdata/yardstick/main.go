// Command yardstick measures the program against plain loading, see docs/benchmarks.md.
//
// It fills a table with made-up rows, or a bucket or folder with made-up files, loads the same documents into
// Elasticsearch in the plainest and fastest way, and measures time, processor and memory of a command. It is not part of
// the program and shares no code with it: a common fault would be hidden in both figures.
// The invariant: the same seed always yields the same rows.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

const usage = `usage:
  yardstick rows    -dsn DSN -table TABLE [-n 100000] [-seed 1]
  yardstick objects -in SERVICE_TYPE [-name yardstick] [-n 100000] [-seed 1]
  yardstick load    -url URL -index INDEX [-n 100000] [-seed 1] [-like INDEX] [-conns 1,2,3,4] [-times 3]
  yardstick measure [-n 5] [-json] -- COMMAND [ARGUMENT...]
  yardstick pairs   -url URL -index INDEX [-n 5] -- COMMAND [ARGUMENT...]
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "yardstick:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("no command given\n%s", usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	switch args[0] {
	case "rows":
		return rows(ctx, flags, args[1:], stdout)
	case "objects":
		return objects(ctx, flags, args[1:], stdout)
	case "load":
		return load(ctx, flags, args[1:], stdout)
	case "measure":
		return measure(ctx, flags, args[1:], stdout, stderr)
	case "pairs":
		return pairs(ctx, flags, args[1:], stdout, stderr)
	}
	return fmt.Errorf("no such command %q\n%s", args[0], usage)
}
