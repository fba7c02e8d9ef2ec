package guard

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ora "github.com/sijms/go-ora/v2"
)

// Time in these tests is that of testing/synctest, so waiting for silence takes no time. The end of a bubble proves
// that no goroutine is left.

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read, err := replayed(t.Context(), steps(t), none, false)
		if err != nil {
			t.Fatal(err)
		}
		if len(read) != 2*sessionRows || read[0] != "1" && read[0] != int64(1) || read[len(read)-1] != "row 35" {
			t.Errorf("%d values, from %v to %v", len(read), read[0], read[len(read)-1])
		}
	})
}

// check reports what is wrong with the end of a session that had a fault.
func check(read []driver.Value, err error, began time.Time) error {
	if took := time.Since(began); took > 4*limit {
		return fmt.Errorf("it took %v", took)
	}
	if err == nil && len(read) != 2*sessionRows {
		return fmt.Errorf("%d values, and no error", len(read))
	}
	return nil
}

func TestServerIsCutOff(t *testing.T) {
	all := steps(t)
	for _, place := range answers(all) {
		for _, where := range []string{"before", "in its header", "within", "after"} {
			for _, quiet := range []silent{false, true} {
				cut := func(i int, packet []byte) ([]byte, bool) {
					kept := map[string]int{"before": 0, "in its header": 5, "within": (8 + len(packet)) / 2, "after": len(packet)}
					if i != place {
						return packet, true
					}
					return packet[:kept[where]], false
				}
				t.Run(fmt.Sprintf("%d %s, silent: %v", place, where, quiet), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						began := time.Now()
						read, err := replayed(t.Context(), all, cut, quiet)
						if wrong := check(read, err, began); wrong != nil {
							t.Error(wrong)
						}
						complete := where == "after" && place == answers(all)[len(answers(all))-1]
						if err == nil && !complete {
							t.Error("no error")
						}
						if bool(quiet) && err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
							t.Errorf("got %v, want a timeout", err)
						}
					})
				})
			}
		}
	}
}

func TestServerSendsGarbage(t *testing.T) {
	all := steps(t)
	wide := false
	for n, place := range answers(all) {
		for seed := range uint64(12) {
			random := rand.New(rand.NewPCG(seed, uint64(place)))
			change := func(i int, packet []byte) ([]byte, bool) {
				if i != place {
					return packet, true
				}
				body := make([]byte, max(0, len(packet)-8))
				for i := range body {
					body[i] = byte(random.Uint32())
				}
				if seed%3 == 0 { // of another length
					body = body[:random.IntN(len(body)+1)]
				}
				return sized(garbled(packet, body), wide), true
			}
			t.Run(fmt.Sprintf("%d, seed %d", place, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					read, err := replayed(t.Context(), all, change, false)
					if wrong := check(read, err, began); wrong != nil {
						t.Error(wrong)
					}
				})
			})
		}
		wide = wide || n == 0 // the first packet accepts the long form
	}
}

func TestServerSendsFlippedBits(t *testing.T) {
	all := steps(t)
	places := answers(all)
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		place := places[random.IntN(len(places))]
		flip := func(i int, packet []byte) ([]byte, bool) {
			if i == place && len(packet) > 8 {
				packet = garbled(packet, packet[8:])
				packet[8+random.IntN(len(packet)-8)] ^= 1 << random.IntN(8)
			}
			return packet, true
		}
		t.Run(fmt.Sprintf("%d, seed %d", place, seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				read, err := replayed(t.Context(), all, flip, false)
				if wrong := check(read, err, began); wrong != nil {
					t.Error(wrong)
				}
			})
		})
	}
}

// FuzzServer covers the packets before the login. Afterwards the driver allocates as many objects as the server
// announces, which no guard can prevent; the tests above cover a few flipped bits there.
func FuzzServer(f *testing.F) {
	all := steps(f)
	places := answers(all)[:5]
	for n, place := range places {
		f.Add(uint8(n), all[place].server[8:])
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		place := places[int(n)%len(places)]
		change := func(i int, packet []byte) ([]byte, bool) {
			if i == place {
				packet = sized(garbled(packet, body), i != places[0])
			}
			return packet, true
		}
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			read, err := replayed(t.Context(), all, change, false)
			if wrong := check(read, err, began); wrong != nil {
				t.Error(wrong)
			}
		})
	})
}

// until returns a fault that is silence from the nth packet on.
func until(places []int, n int) fault {
	return func(i int, packet []byte) ([]byte, bool) {
		if i == places[n] {
			return nil, false
		}
		return packet, true
	}
}

func TestContextEndsCalls(t *testing.T) {
	all := steps(t)
	places := answers(all)
	for n := range places {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				began := time.Now()
				_, err := replayed(ctx, all, until(places, n), true)
				closes := n >= len(places)-2 // closing the statement and the connection, which has no context
				if !closes && (!errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second) {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			})
		})
	}
}

func TestContextEndsDialing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := connectorTo(replayDSN, func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		if _, err := Connector(c, Limits{}).Connect(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that of the context", err)
		}
	})
}

func TestLimitEndsDialing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connectorTo(replayDSN, func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		began := time.Now()
		_, err := Connector(c, Limits{Login: limit}).Connect(t.Context())
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != limit {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestSilenceIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := steps(t)
		_, err := replayed(t.Context(), all, until(answers(all), 0), true)
		timeout, ok := errors.AsType[net.Error](err)
		if want := fmt.Sprintf("the server did not finish within %s: log in", limit); !ok || !timeout.Timeout() || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	})
}

func TestPanicIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := steps(t)
		panics := func(i int, packet []byte) ([]byte, bool) {
			if i == answers(all)[0] { // the driver does not expect it to be short
				packet = sized(packet[:20], false)
			}
			return packet, true
		}
		c, err := replay(t.Context(), all, panics, false)
		if err == nil {
			_ = c.Close()
		}
		if !errors.Is(err, ErrPanic) || !strings.Contains(err.Error(), "panicked: log in: runtime error: ") || !strings.Contains(err.Error(), "(github.com/sijms/go-ora/v2/network.(*Session).Connect:") {
			t.Errorf("got %v, want a panic of the driver and where it was", err)
		}
	})
}

func TestBrokenConnectionStaysBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := steps(t)
		c, err := replay(t.Context(), all, until(answers(all), 9), false)
		if err != nil {
			t.Fatal(err)
		}
		able := c.(driver.ExecerContext)
		if _, err := able.ExecContext(t.Context(), "ALTER SESSION SET NLS_SORT = BINARY", nil); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v, want that the server hung up", err)
		}
		if _, err := able.ExecContext(t.Context(), "ALTER SESSION SET NLS_SORT = BINARY", nil); !errors.Is(err, driver.ErrBadConn) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v, want a bad connection and why it is", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestConnectorMustDialThroughTheGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := ora.NewConnector(replayDSN).(*ora.OracleConnector)
		all := steps(t)
		var ours net.Conn
		c.Dialer(dialerFunc(func(context.Context, string, string) (net.Conn, error) {
			var theirs net.Conn
			ours, theirs = net.Pipe()
			go serve(theirs, all, none, false) // until ours is closed below
			return ours, nil
		}))
		if _, err := Connector(c, Limits{}).Connect(t.Context()); !errors.Is(err, errNoSocket) {
			t.Errorf("got %v, want %v", err, errNoSocket)
		}
		_ = ours.Close()
	})
}

// The driver does not report whether it read all rows; see rowsLeft.
func TestDriverKeepsWhetherRowsAreLeft(t *testing.T) {
	statement := reflect.TypeFor[ora.Stmt]()
	if f, ok := statement.FieldByName("_hasMoreRows"); !ok || f.Type.Kind() != reflect.Bool {
		t.Errorf("the driver's statement has no field _hasMoreRows that is a bool: %v", f)
	}
	if f, ok := reflect.TypeFor[ora.DataSet]().FieldByName("parent"); !ok || f.Type.Kind() != reflect.Interface {
		t.Errorf("the driver's rows have no field parent that is an interface: %v", f)
	}
	if _, err := rowsLeft(&ora.DataSet{}); err == nil {
		t.Error("rows of no statement: no error")
	}
}
