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

// errNoClock is a server that does not say what time it has.
var errNoClock = errors.New("the server does not say what time it has")

// ClockAhead asks how far the clock of the cluster is ahead of now, this machine's; it is negative where the
// cluster's is behind. A difference that the way there and back may have made is none. The node that
// answers says its time in its statistics, which take the cluster privilege monitor; where it does not, as
// in Serverless, the Date of the answer counts, which a proxy may have set. See
// https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-nodes-stats.
func (c *Client) ClockAhead(ctx context.Context, now func() time.Time) (time.Duration, error) {
	const op = "ask for the cluster's clock"
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

// timeOf is the time that a node's statistics give; zero where they do not.
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
