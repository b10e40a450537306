// Casbin as `./dev bench peers` asks it in process.
//
//	casbin_peer world FOLDER SECONDS MODEL POLICY   one line of JSON, as tests/bench/peers/dpl/peer.cc says
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
)

type agent struct {
	Active bool
	Scopes []string
}

type person struct {
	Department string
	Agent      agent
}

type purchase struct {
	Department string
}

type question struct {
	Person   person
	Role     string
	Action   string
	Purchase purchase
	Amount   float64
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "casbin_peer:", err)
		os.Exit(1)
	}
}

func cpu() float64 {
	var use syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &use))
	return float64(use.Utime.Sec+use.Stime.Sec) + float64(use.Utime.Usec+use.Stime.Usec)*1e-6
}

// Repeats a pass for so many seconds, a quarter of it first to warm up; CPU nanoseconds of a decision, all threads.
func passes(seconds float64, decisions int, pass func()) []int64 {
	repeat := func(seconds float64) (ns []int64) {
		end := time.Now().Add(time.Duration(seconds * 1e9))
		for {
			start := cpu()
			pass()
			ns = append(ns, int64((cpu()-start)*1e9/float64(decisions)))
			if !time.Now().Before(end) {
				return ns
			}
		}
	}
	repeat(seconds / 4)
	return repeat(seconds)
}

// The policy without a file adapter, whose watchers we do not need.
func load(path string, m model.Model) {
	text, err := os.ReadFile(path)
	must(err)
	for _, line := range strings.Split(string(text), "\n") {
		if line != "" {
			must(persist.LoadPolicyLine(line, m))
		}
	}
}

func main() {
	if len(os.Args) != 6 || os.Args[1] != "world" {
		fmt.Fprintln(os.Stderr, "usage: casbin_peer world FOLDER SECONDS MODEL POLICY")
		os.Exit(2)
	}
	seconds, err := strconv.ParseFloat(os.Args[3], 64)
	must(err)
	start := cpu()
	m, err := model.NewModelFromFile(os.Args[4])
	must(err)
	load(os.Args[5], m)
	enforcer, err := casbin.NewEnforcer(m)
	must(err)
	enforcer.AddFunction("scoped", func(arguments ...any) (any, error) {
		return slices.Contains(arguments[0].([]string), arguments[1].(string)), nil
	})
	// What stands in a policy is text.
	enforcer.AddFunction("upto", func(arguments ...any) (any, error) {
		most, err := strconv.ParseFloat(arguments[1].(string), 64)
		return arguments[0].(float64) <= most, err
	})
	loaded := (cpu() - start) * 1e3

	file, err := os.Open(filepath.Join(os.Args[2], "casbin.jsonl"))
	must(err)
	var bodies [][]byte
	var questions []question
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		body := bytes.Clone(scanner.Bytes())
		var q question
		must(json.Unmarshal(body, &q))
		bodies, questions = append(bodies, body), append(questions, q)
	}
	decide := func(q *question) (bool, []string) {
		allowed, why, err := enforcer.EnforceEx(q.Person, q.Role, q.Action, q.Purchase, q.Amount)
		must(err)
		return allowed, why
	}
	decisions := make([]byte, len(questions))
	for i := range questions {
		decisions[i] = '0'
		if allowed, _ := decide(&questions[i]); allowed {
			decisions[i] = '1'
		}
	}
	decided := passes(seconds/2, len(questions), func() {
		for i := range questions {
			decide(&questions[i])
		}
	})
	answered := passes(seconds/2, len(questions), func() {
		for _, body := range bodies {
			var q question
			must(json.Unmarshal(body, &q))
			allowed, why := decide(&q)
			_, err := json.Marshal(map[string]any{"decision": allowed, "by": why})
			must(err)
		}
	})
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{"decisions": string(decisions), "load_ms": loaded,
		"ns": map[string]any{"decide": decided, "bytes": answered}}))
}
