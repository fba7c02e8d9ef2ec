package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// errNoClock is a server that does not report its time.
var errNoClock = errors.New("the server does not report its time")

// ClockAhead requests how far the clock of the cluster is ahead of now, this machine's; it is negative if the
// cluster's is slow. A difference that network latency can explain counts as 0. The node
// reports its time in its statistics, which need the cluster privilege monitor. Without it, as
// in Serverless, the Date header of the response is used, which a proxy may have set. See
// https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-nodes-stats.
func (c *Client) ClockAhead(ctx context.Context, now func() time.Time) (time.Duration, error) {
	const op = "read the cluster's clock"
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	began := now()
	r := esapi.NodesStatsRequest{NodeID: []string{"_local"}, Metric: []string{"os"}, FilterPath: []string{"nodes.*.timestamp"}}
	res, err := r.Do(ctx, c.transport)
	if err != nil {
		return 0, connError(op, c.address, err)
	}
	defer res.Body.Close() //nolint:errcheck // all that is wanted was read
	body, err := readBody(res.Body, nil, smallAnswer)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", op, err)
	}
	took := now().Sub(began)
	its, within := timeOf(res.StatusCode, body), time.Millisecond
	if its.IsZero() {
		its, err = http.ParseTime(res.Header.Get("Date"))
		within = time.Second
		if err != nil {
			return 0, fmt.Errorf("%s: %w (status %d)", op, errNoClock, res.StatusCode)
		}
	}
	ahead := its.Sub(began.Add(took / 2))
	if ahead.Abs() <= took/2+within {
		return 0, nil
	}
	return ahead, nil
}

// timeOf is the time in a node's statistics; zero if there is none.
func timeOf(status int, body []byte) time.Time {
	var a struct {
		Nodes map[string]struct {
			Timestamp int64 `json:"timestamp"` // milliseconds since 1970
		} `json:"nodes"`
	}
	if status != http.StatusOK || json.Unmarshal(body, &a) != nil {
		return time.Time{}
	}
	for _, node := range a.Nodes {
		if node.Timestamp > 0 {
			return time.UnixMilli(node.Timestamp)
		}
	}
	return time.Time{}
}
