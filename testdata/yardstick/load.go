package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Limits of one bulk request, the same as the program's own.
const (
	maxOperations = 500
	maxBytes      = 5 << 20
)

// emptyShape is an index with dynamic mappings.
const emptyShape = `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`

// A doc is one document to load, as the bytes that Elasticsearch will store.
type doc struct {
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
}

// made generates n documents like those that the program makes from the table.
func made(g *generator, n int64) []doc {
	docs := make([]doc, n)
	for i := range docs {
		r := g.row(int64(i) + 1)
		id := "ingest_public_items_" + strconv.FormatInt(r.id, 10)
		source := fmt.Appendf(nil, `{"id":%q,"public_items_id":%d,"public_items_title":%q,"public_items_body":%q,`+
			`"public_items_price":"%d.%02d","public_items_stock":%d,"public_items_created":%q,"public_items_active":%t,`+
			`"database":"ingest","table":"items","schema":"public","_timestamp":"2024-01-01T00:00:00+00:00"}`,
			id, r.id, r.title, r.body, r.cents/100, r.cents%100, r.stock, r.created.Format(time.RFC3339), r.active)
		docs[i] = doc{ID: id, Source: source}
	}
	return docs
}

// requests packs documents into the bodies of bulk requests.
func requests(docs []doc) [][]byte {
	var bodies [][]byte
	var body []byte
	operations := 0
	for _, d := range docs {
		id, _ := json.Marshal(d.ID) // a string always has a JSON form
		if operations == maxOperations || (operations > 0 && len(body)+len(id)+len(d.Source)+20 > maxBytes) {
			bodies = append(bodies, body)
			body, operations = nil, 0
		}
		body = fmt.Appendf(body, "{\"index\":{\"_id\":%s}}\n%s\n", id, d.Source)
		operations++
	}
	if operations > 0 {
		bodies = append(bodies, body)
	}
	return bodies
}

func load(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer) error {
	url := flags.String("url", "", "Elasticsearch")
	index := flags.String("index", "", "index to recreate")
	like := flags.String("like", "", "load the documents of this index, with its mapping and settings, instead of made-up ones")
	n := flags.Int64("n", 100_000, "documents")
	seed := flags.Uint64("seed", 1, "seed of the documents")
	conns := flags.String("conns", "1,2,3,4", "numbers of connections to try")
	times := flags.Int("times", 3, "loads for each number of connections")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *url == "" || *index == "" {
		return fmt.Errorf("load: -url or -index is missing")
	}
	widths, err := numbers(*conns)
	if err != nil {
		return fmt.Errorf("load: -conns %q: %w", *conns, err)
	}
	node := newNode(*url)
	shape, docs := []byte(emptyShape), []doc(nil)
	if *like == "" {
		docs = made(newGenerator(*seed), *n)
	} else if shape, docs, err = node.copyOf(ctx, *like); err != nil {
		return fmt.Errorf("copy index %q: %w", *like, err)
	}
	bodies := requests(docs)
	best, width, err := node.bestLoad(ctx, *index, shape, bodies, widths, *times)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%d documents in %d requests: %.3f s with %d connections\n", len(docs), len(bodies), best.Seconds(), width)
	return err
}

// bestLoad loads with each number of connections and returns the shortest time and its number.
func (n *node) bestLoad(ctx context.Context, index string, shape []byte, bodies [][]byte, widths []int, times int) (time.Duration, int, error) {
	var best time.Duration
	var width int
	for range times {
		for _, w := range widths {
			took, err := n.load(ctx, index, shape, bodies, w)
			if err != nil {
				return 0, 0, fmt.Errorf("load into %q: %w", index, err)
			}
			if width == 0 || took < best {
				best, width = took, w
			}
		}
	}
	return best, width, n.drop(ctx, index)
}

func numbers(list string) ([]int, error) {
	var out []int
	for text := range strings.SplitSeq(list, ",") {
		v, err := strconv.Atoi(text)
		if err != nil || v < 1 {
			return nil, fmt.Errorf("%q is not a number above 0", text)
		}
		out = append(out, v)
	}
	return out, nil
}
