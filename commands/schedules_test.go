package commands

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

// pageBlocks are the blocks of docs/crontab.md in a language, with their texts.
func pageBlocks(t *testing.T, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/crontab.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllSubmatch(text, -1) {
		blocks = append(blocks, string(m[1]))
	}
	return blocks
}

// TestCrontabInTheEnvironmentOfCron runs the lines of the first crontab as cron does: by sh, in the home of the
// user, with nothing in the environment but what cron and the crontab set. The secret is in the .env.
func TestCrontabInTheEnvironmentOfCron(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no cron")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	programs, etc := filepath.Join(home, "usr", "local", "bin"), filepath.Join(home, "etc", "elastic-ingest")
	if err := os.MkdirAll(programs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(programs, "elastic-ingest")); err != nil { // TestMain then runs the program
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(etc, "config.yml"), "elasticsearch.host: embedded:./data\nconnectors:\n"+
		"  - {name: shop, service_type: scripted, index_name: search-shop, configuration: {script: script.json, password: \"${PG_PASSWORD}\"}}\n")
	writeFile(t, filepath.Join(etc, ".env"), "PG_PASSWORD=hunter2\n")
	writeFile(t, filepath.Join(etc, "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`)
	env := []string{"HOME=" + home, "LOGNAME=elastic-ingest", "SHELL=/bin/sh", "XDG_CONFIG_HOME=" + filepath.Dir(etc), "GOCOVERDIR=" + t.TempDir()} // which stand for /etc, and for make cover
	ran := 0
	for line := range strings.Lines(pageBlocks(t, "crontab")[0]) {
		line = strings.TrimSpace(line)
		if path, ok := strings.CutPrefix(line, "PATH="); ok {
			if !slices.Contains(strings.Split(path, ":"), "/usr/local/bin") {
				t.Errorf("PATH lacks the folder of the program: %s", path)
			}
			env = append(env, "PATH="+strings.ReplaceAll(path, "/usr/local/bin", programs))
			continue
		}
		m := crontabLine.FindStringSubmatch(line)
		if m == nil {
			if line != "" {
				env = append(env, line)
			}
			continue
		}
		c := exec.CommandContext(t.Context(), "/bin/sh", "-c", m[2])
		c.Env, c.Dir = env, home
		if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: cron would mail %s", m[2], err, out)
		}
		ran++
	}
	if ran != 3 {
		t.Errorf("ran %d lines", ran)
	}
	if _, err := os.Stat(filepath.Join(home, ".local", "state", "elastic-ingest")); err != nil {
		t.Errorf("the state is not in the home: %v", err)
	}
}

// TestUnitsOfSystemd has systemd verify the units of the page. Their command line is one of the program, and the
// configuration reads the credentials that they load.
func TestUnitsOfSystemd(t *testing.T) {
	t.Parallel()
	units := pageBlocks(t, "ini")
	if len(units) != 2 {
		t.Fatalf("%d units", len(units))
	}
	dir, self := t.TempDir(), ""
	var err error
	if self, err = os.Executable(); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, unit := range units {
		first, _, _ := strings.Cut(unit, "\n")
		file := filepath.Join(dir, filepath.Base(strings.TrimPrefix(first, "# ")))
		writeFile(t, file, strings.ReplaceAll(unit, "/usr/local/bin/elastic-ingest", self))
		files = append(files, file)
	}
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/(elastic-ingest .*)$`).FindStringSubmatch(units[0])
	if start == nil {
		t.Fatal("no command line")
	}
	parses(t, strings.Fields(start[1])[1:])
	if !strings.Contains(units[0], "\nSuccessExitStatus=7 8\n") || !slices.Equal(quieted, []int{7, 8}) {
		t.Errorf("--quiet does not report %v; success is something else in\n%s", quieted, units[0])
	}
	var conf string
	for _, block := range pageBlocks(t, "yaml") {
		if strings.Contains(block, "CREDENTIALS_DIRECTORY") {
			conf = block
		}
	}
	credentials := regexp.MustCompile(`(?m)^LoadCredential=(\w+):`).FindAllStringSubmatch(units[0], -1)
	for _, c := range credentials {
		writeFile(t, filepath.Join(dir, "credentials", c[1]), "hunter2 "+c[1]+"\n")
	}
	file := filepath.Join(dir, "config.yml")
	writeFile(t, file, conf)
	cfg, err := config.Load(t.Context(), file, config.Env{Environ: []string{"CREDENTIALS_DIRECTORY=" + filepath.Join(dir, "credentials")}})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Elasticsearch.APIKey.Reveal() != "hunter2 es_api_key" || len(credentials) != 2 {
		t.Errorf("the credentials %v are not those of the configuration", credentials)
	}
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	c := exec.CommandContext(t.Context(), program, append([]string{"verify", "--man=no"}, files...)...)
	out, err := c.CombinedOutput()
	for line := range bytes.Lines(out) { // also of other units of this machine
		if bytes.Contains(line, []byte("elastic-ingest")) {
			t.Errorf("systemd: %s", line)
		}
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// parses fails the test if arguments are not a command line of the program.
func parses(t *testing.T, args []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yml")
	writeFile(t, file, "elasticsearch.host: embedded:./data\nconnectors:\n  - {name: shop, service_type: scripted, index_name: search-shop, configuration: {script: script.json}}\n")
	writeFile(t, filepath.Join(filepath.Dir(file), "script.json"), `{"parts": [{"scope": "a", "documents": [{"id": "1"}]}]}`)
	c := programIn(t, filepath.Dir(file), append(args, "-c", file)...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%q: %v: %s", args, err, out)
	}
}

// TestCronJobOfKubernetes reads the manifest of the page: its arguments are a command line of the program, and no
// run is repeated that a repetition cannot help.
func TestCronJobOfKubernetes(t *testing.T) {
	t.Parallel()
	type container struct {
		Name string   `yaml:"name"`
		Args []string `yaml:"args"`
	}
	var job struct {
		Kind string `yaml:"kind"`
		Spec struct {
			ConcurrencyPolicy string `yaml:"concurrencyPolicy"`
			JobTemplate       struct {
				Spec struct {
					PodFailurePolicy struct {
						Rules []struct {
							Action      string `yaml:"action"`
							OnExitCodes struct {
								ContainerName string `yaml:"containerName"`
								Operator      string `yaml:"operator"`
								Values        []int  `yaml:"values"`
							} `yaml:"onExitCodes"`
						} `yaml:"rules"`
					} `yaml:"podFailurePolicy"`
					Template struct {
						Spec struct {
							RestartPolicy string      `yaml:"restartPolicy"`
							Containers    []container `yaml:"containers"`
						} `yaml:"spec"`
					} `yaml:"template"`
				} `yaml:"spec"`
			} `yaml:"jobTemplate"`
		} `yaml:"spec"`
	}
	for _, block := range pageBlocks(t, "yaml") {
		if strings.HasPrefix(block, "apiVersion: ") {
			if err := yaml.Unmarshal([]byte(block), &job); err != nil {
				t.Fatal(err)
			}
		}
	}
	template := &job.Spec.JobTemplate.Spec
	pod := &template.Template.Spec
	if job.Kind != "CronJob" || job.Spec.ConcurrencyPolicy != "Forbid" || pod.RestartPolicy != "Never" || len(pod.Containers) != 1 || len(template.PodFailurePolicy.Rules) != 2 {
		t.Fatalf("%+v", job)
	}
	parses(t, pod.Containers[0].Args)
	rule := template.PodFailurePolicy.Rules[0]
	var final []int // all codes but success, differences, which only diff has, and those that a later attempt may not have
	for _, code := range worstFirst {
		if !slices.Contains([]int{ExitOK, ExitDiffers, ExitTemporary, ExitTerminated, ExitInterrupted, ExitPipe}, code) {
			final = append(final, code)
		}
	}
	slices.Sort(final)
	if d := cmp.Diff(final, rule.OnExitCodes.Values); d != "" || rule.Action != "FailJob" || rule.OnExitCodes.Operator != "In" || rule.OnExitCodes.ContainerName != pod.Containers[0].Name {
		t.Errorf("%+v, -want +got:\n%s", rule, d)
	}
}

// TestPackagesHaveTheUnitsOfThePage: with their own path of the program, and without secrets.
func TestPackagesHaveTheUnitsOfThePage(t *testing.T) {
	t.Parallel()
	for _, unit := range pageBlocks(t, "ini") {
		first, body, _ := strings.Cut(unit, "\n")
		packaged, err := os.ReadFile(filepath.Join("..", ".ci", "package", filepath.Base(strings.TrimPrefix(first, "# "))))
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(`(?m)^LoadCredential=.*\n`).ReplaceAllString(body, "")
		want = strings.TrimSpace(strings.ReplaceAll(want, "/usr/local/bin/", "/usr/bin/"))
		got := strings.TrimSpace(regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(string(packaged), ""))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-page +package):\n%s", first, d)
		}
	}
}
