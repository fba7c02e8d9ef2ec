package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const program = "elastic-ingest"

// Find returns the configuration file to load: the one given by flag, else the
// first that exists of ./config.yml, $XDG_CONFIG_HOME/elastic-ingest/config.yml
// and /etc/elastic-ingest/config.yml. It works without a home folder.
func Find(flag string, env func(string) string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	places := []string{"config.yml"}
	if folder := xdg(env, "XDG_CONFIG_HOME", ".config"); folder != "" {
		places = append(places, filepath.Join(folder, program, "config.yml"))
	}
	places = append(places, filepath.FromSlash("/etc/"+program+"/config.yml"))
	for _, file := range places {
		info, err := os.Stat(file)
		// A file without permission exists; reading it gives the reason.
		if err == nil && !info.IsDir() || errors.Is(err, fs.ErrPermission) {
			return file, nil
		}
	}
	return "", fmt.Errorf("no configuration file: looked for %s; create one, or name it with -c FILE", strings.Join(places, ", "))
}

// StateDir returns the folder for locks and other state, which may not exist
// yet: $ELASTIC_INGEST_STATE_DIR, else the user's XDG state folder, else
// .elastic-ingest beside the configuration file.
func StateDir(c *Config, env func(string) string) string {
	if dir := env("ELASTIC_INGEST_STATE_DIR"); dir != "" {
		return absolute(c.Dir, dir)
	}
	if folder := xdg(env, "XDG_STATE_HOME", filepath.Join(".local", "state")); folder != "" {
		return filepath.Join(folder, program)
	}
	return filepath.Join(c.Dir, "."+program)
}

// xdg returns the folder that the variable names, else the one below the home
// folder, else "". The XDG specification requires relative ones to be ignored.
func xdg(env func(string) string, variable, below string) string {
	if folder := env(variable); filepath.IsAbs(folder) {
		return folder
	}
	if home := env("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, below)
	}
	return ""
}

// absolute resolves path against dir.
func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}
