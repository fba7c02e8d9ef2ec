package elastic

import (
	"fmt"
	"strconv"
)

// Hit is one document of a scan. Source is part of the page's memory and valid as long as it.
type Hit struct {
	ID          string
	Source      []byte // the requested part of _source, byte for byte
	Routing     string
	SeqNo       int64
	PrimaryTerm int64
}

// page is one response of a search.
type page struct {
	pitID string
	sort  []byte // of the last hit, after which the scan continues
	hits  int
}

// decodePage reads the response of a search and calls hit for each of its hits.
func decodePage(b []byte, hit func(Hit) error) (page, error) {
	var p page
	c := cursor{b: b}
	var sawHits, sawShards bool
	err := c.object(func(key []byte) error {
		switch string(key) {
		case "pit_id":
			v, err := c.value()
			if err != nil {
				return err
			}
			p.pitID, err = text(v)
			return err
		case "timed_out":
			v, err := c.value()
			if err == nil && string(v) == "true" {
				err = fmt.Errorf("the search timed out: %w", ErrTemporary)
			}
			return err
		case "_shards":
			sawShards = true
			return c.shards()
		case "hits":
			return c.object(func(key []byte) error {
				if string(key) == "hits" {
					sawHits = true
					return p.decodeHits(&c, hit)
				}
				_, err := c.value()
				return err
			})
		}
		_, err := c.value()
		return err
	})
	switch {
	case err != nil:
	case !sawHits:
		err = lacks("hits.hits", false)
	case !sawShards:
		err = lacks("_shards", false)
	default:
		err = c.end()
	}
	return p, err
}

// shards returns an error if a shard failed: its documents would count as missing.
func (c *cursor) shards() error {
	sawFailed := false
	err := c.object(func(key []byte) error {
		v, err := c.value()
		if err != nil || string(key) != "failed" {
			return err
		}
		sawFailed = true
		n, err := strconv.Atoi(string(v))
		if err != nil {
			return errCut
		}
		return shards{Failed: n}.check()
	})
	if err == nil {
		err = lacks("_shards.failed", sawFailed)
	}
	return err
}

func (p *page) decodeHits(c *cursor, hit func(Hit) error) error {
	return c.array(func() error {
		var h Hit
		p.sort = nil
		err := c.object(func(key []byte) error {
			v, err := c.value()
			if err != nil {
				return err
			}
			switch string(key) {
			case "_id":
				h.ID, err = text(v)
			case "_routing":
				h.Routing, err = text(v)
			case "_source":
				h.Source = v
			case "sort":
				p.sort = v
			case "_seq_no":
				h.SeqNo, err = strconv.ParseInt(string(v), 10, 64)
			case "_primary_term":
				h.PrimaryTerm, err = strconv.ParseInt(string(v), 10, 64)
			}
			return err
		})
		if err != nil {
			return err
		}
		if h.ID == "" {
			return fmt.Errorf("a hit has no _id: %w", errCut)
		}
		p.hits++
		return hit(h)
	})
}
