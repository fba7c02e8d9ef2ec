package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

// A use is what one run of a command took.
type use struct {
	Wall time.Duration `json:"wall"`
	CPU  time.Duration `json:"cpu"` // user and system time
	RSS  int64         `json:"rss"` // peak resident memory in bytes
}

func measure(ctx context.Context, flags *flag.FlagSet, args []string, stdout, stderr io.Writer) error {
	n := flags.Int("n", 5, "runs")
	asJSON := flags.Bool("json", false, "print one JSON object a run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 || *n < 1 {
		return fmt.Errorf("measure: nothing to run")
	}
	uses := make([]use, *n)
	for i := range uses {
		var err error
		if uses[i], err = once(ctx, flags.Args(), stderr); err != nil {
			return err
		}
		if *asJSON {
			if err := json.NewEncoder(stdout).Encode(uses[i]); err != nil {
				return err
			}
		}
	}
	if *asJSON {
		return nil
	}
	return table(stdout, uses)
}

// once runs the command. Its output goes to out.
func once(ctx context.Context, argv []string, out io.Writer) (use, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return use{}, fmt.Errorf("run %s: %w", argv[0], err)
	}
	return use{
		Wall: time.Since(start),
		CPU:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		RSS:  peakMemory(cmd.ProcessState),
	}, nil
}

// apart runs the command like once, but as the child of a small process. Linux counts the memory of the process that
// starts another in the peak of the started one, and ours holds all documents in memory.
func apart(ctx context.Context, argv []string, stderr io.Writer) (use, error) {
	self, err := os.Executable()
	if err != nil {
		return use{}, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"measure", "-n", "1", "-json", "--"}, argv...)...)
	cmd.Stderr = stderr
	out, err := cmd.Output()
	if err != nil {
		return use{}, fmt.Errorf("measure %s: %w", argv[0], err)
	}
	var u use
	err = json.Unmarshal(out, &u)
	return u, err
}

// table prints minimum, median and maximum of each figure.
func table(w io.Writer, uses []use) error {
	_, err := fmt.Fprintf(w, "%-12s %10s %10s %10s\n", "", "min", "median", "max")
	line := func(name string, figure func(use) float64) {
		if err != nil {
			return
		}
		values := make([]float64, len(uses))
		for i, u := range uses {
			values[i] = figure(u)
		}
		_, err = fmt.Fprintf(w, "%-12s %10.3f %10.3f %10.3f\n", name, slices.Min(values), median(values), slices.Max(values))
	}
	line("wall s", use.wallSeconds)
	line("cpu s", use.cpuSeconds)
	line("peak MiB", use.peakMiB)
	return err
}

func (u use) wallSeconds() float64 { return u.Wall.Seconds() }
func (u use) cpuSeconds() float64  { return u.CPU.Seconds() }
func (u use) peakMiB() float64     { return float64(u.RSS) / (1 << 20) }

// median returns the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}
