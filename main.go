// Elastic-ingest mirrors content sources into Elasticsearch, once, and ends with an exit code that a
// script can act on.
package main

import (
	"os"

	"github.com/elastic-ingest/elastic-ingest/commands"
)

func main() {
	ctx, cut, gone, stop := commands.Signals()
	code := commands.Ending(gone, func() int { return commands.Main(ctx, cut, os.Args[1:]) })
	stop()
	os.Exit(code)
}
