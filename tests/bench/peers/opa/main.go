// OPA as a library, as `./dev bench peers` asks it in process: a prepared query, data in the in-memory store.
//
//	opa_peer world FOLDER SECONDS QUERY   one line of JSON, as tests/bench/peers/dpl/peer.cc says
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "opa_peer:", err)
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

// The result is true, or an object whose allow is.
func permits(results rego.ResultSet) bool {
	if len(results) == 0 {
		return false
	}
	switch value := results[0].Expressions[0].Value.(type) {
	case bool:
		return value
	case map[string]any:
		allow, _ := value["allow"].(bool)
		return allow
	}
	return false
}

func main() {
	if len(os.Args) != 5 || os.Args[1] != "world" {
		fmt.Fprintln(os.Stderr, "usage: opa_peer world FOLDER SECONDS QUERY")
		os.Exit(2)
	}
	folder, query := os.Args[2], os.Args[4]
	seconds, err := strconv.ParseFloat(os.Args[3], 64)
	must(err)
	ctx := context.Background()

	start := cpu()
	text, err := os.ReadFile(filepath.Join(folder, "data.json"))
	must(err)
	var data map[string]any
	must(util.UnmarshalJSON(text, &data))
	policy, err := os.ReadFile(filepath.Join(folder, "policy.rego"))
	must(err)
	// Data as terms of the language already: what `opa run` calls --optimize-store-for-read-speed.
	store := inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))
	prepared, err := rego.New(rego.Query(query), rego.Module("policy.rego", string(policy)), rego.Store(store)).PrepareForEval(ctx)
	must(err)
	load := (cpu() - start) * 1e3

	lines, err := os.Open(filepath.Join(folder, "rego.jsonl"))
	must(err)
	var bodies [][]byte
	var inputs []ast.Value
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		body := bytes.Clone(scanner.Bytes())
		value, err := ast.ValueFromReader(bytes.NewReader(body))
		must(err)
		bodies, inputs = append(bodies, body), append(inputs, value)
	}
	decide := func(input ast.Value) rego.ResultSet {
		results, err := prepared.Eval(ctx, rego.EvalParsedInput(input))
		must(err)
		return results
	}
	decisions := make([]byte, len(inputs))
	for i, input := range inputs {
		decisions[i] = '0'
		if permits(decide(input)) {
			decisions[i] = '1'
		}
	}
	decided := passes(seconds/2, len(inputs), func() {
		for _, input := range inputs {
			decide(input)
		}
	})
	answered := passes(seconds/2, len(inputs), func() {
		for _, body := range bodies {
			value, err := ast.ValueFromReader(bytes.NewReader(body))
			must(err)
			_, err = json.Marshal(decide(value)[0].Expressions[0].Value)
			must(err)
		}
	})
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{"decisions": string(decisions), "load_ms": load,
		"ns": map[string]any{"decide": decided, "bytes": answered}}))
}
