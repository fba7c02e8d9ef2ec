package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime"
)

// A pair is a plain load and two runs of the program, measured one after the other, so that a busy minute of the machine
// affects both.
type pair struct {
	raw   float64 // seconds of the plain load
	first use     // the run that writes everything
	again use     // the run that finds nothing changed
}

func pairs(ctx context.Context, flags *flag.FlagSet, args []string, stdout, stderr io.Writer) error {
	url := flags.String("url", "", "Elasticsearch")
	index := flags.String("index", "", "index that the command fills; it is removed before each pair and at the end")
	n := flags.Int("n", 5, "pairs")
	width := flags.Int("connections", 0, "connections of the plain load; 0 tries how many are fastest, with eight loads")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *url == "" || *index == "" || flags.NArg() == 0 || *n < 1 {
		return fmt.Errorf("pairs: -url, -index or the command is missing")
	}
	b := &bench{node: newNode(*url), index: *index, argv: flags.Args(), stderr: stderr, width: *width}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stdout, "%d documents, %s/%s, %d cores; plain load: %d requests over %d connections\n",
		b.docs, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), len(b.bodies), b.width)
	_, _ = fmt.Fprintf(stdout, "%-8s %8s | %8s %8s %8s | %8s %8s %8s\n", "", "load s", "first s", "cpu s", "MiB", "again s", "cpu s", "MiB")
	all := make([]pair, *n)
	for i := range all {
		var err error
		if all[i], err = b.pair(ctx); err != nil {
			return err
		}
		line(stdout, fmt.Sprintf("pair %d", i+1), all[i:i+1])
	}
	line(stdout, "median", all)
	if err := b.node.drop(ctx, *index); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "first run / plain load: %.2f   cpu for 100 000 documents: %.2f s first, %.2f s again\n",
		middle(all, func(p pair) float64 { return p.first.wallSeconds() / p.raw }),
		middle(all, func(p pair) float64 { return p.first.cpuSeconds() })*100_000/float64(b.docs),
		middle(all, func(p pair) float64 { return p.again.cpuSeconds() })*100_000/float64(b.docs))
	return err
}

// A bench is what all pairs share.
type bench struct {
	node   *node
	index  string
	argv   []string
	stderr io.Writer

	shape  []byte
	bodies [][]byte
	docs   int
	width  int // connections of the plain load
}

// prepare runs the command once, takes from its index what the plain load loads, and finds the best number of connections
// for this machine. This also warms up the servers.
func (b *bench) prepare(ctx context.Context) error {
	if err := b.node.drop(ctx, b.index); err != nil {
		return err
	}
	if _, err := apart(ctx, b.argv, b.stderr); err != nil {
		return err
	}
	shape, docs, err := b.node.copyOf(ctx, b.index)
	if err != nil {
		return fmt.Errorf("copy index %q: %w", b.index, err)
	}
	if len(docs) == 0 {
		return fmt.Errorf("the command wrote nothing to index %q", b.index)
	}
	b.shape, b.docs, b.bodies = shape, len(docs), requests(docs)
	if b.width > 0 {
		return nil
	}
	_, b.width, err = b.node.bestLoad(ctx, b.index+"-plain", shape, b.bodies, []int{1, 2, 3, 4}, 2)
	return err
}

func (b *bench) pair(ctx context.Context) (pair, error) {
	var p pair
	plain := b.index + "-plain"
	took, err := b.node.load(ctx, plain, b.shape, b.bodies, b.width)
	if err != nil {
		return p, fmt.Errorf("load into %q: %w", plain, err)
	}
	p.raw = took.Seconds()
	for _, name := range []string{plain, b.index} {
		if err := b.node.drop(ctx, name); err != nil {
			return p, err
		}
	}
	if p.first, err = apart(ctx, b.argv, b.stderr); err != nil {
		return p, err
	}
	p.again, err = apart(ctx, b.argv, b.stderr)
	return p, err
}

// line prints the medians of some pairs.
func line(w io.Writer, name string, ps []pair) {
	of := func(figure func(use) float64, run func(pair) use) float64 {
		return middle(ps, func(p pair) float64 { return figure(run(p)) })
	}
	first, again := func(p pair) use { return p.first }, func(p pair) use { return p.again }
	_, _ = fmt.Fprintf(w, "%-8s %8.3f | %8.3f %8.3f %8.1f | %8.3f %8.3f %8.1f\n", name, middle(ps, func(p pair) float64 { return p.raw }),
		of(use.wallSeconds, first), of(use.cpuSeconds, first), of(use.peakMiB, first),
		of(use.wallSeconds, again), of(use.cpuSeconds, again), of(use.peakMiB, again))
}

func middle(ps []pair, figure func(pair) float64) float64 {
	values := make([]float64, len(ps))
	for i, p := range ps {
		values[i] = figure(p)
	}
	return median(values)
}
