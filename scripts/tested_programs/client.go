// Fetches pages from four goroutines until it is told to stop:
// client URL COUNT (a count of 0: no other limit).
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

func fetch(url string) (string, error) {
	answer, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

func main() {
	url := os.Args[1]
	count, _ := strconv.Atoi(os.Args[2])
	var errors int32
	var group sync.WaitGroup
	for worker := 0; worker < 4; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; count == 0 || i < count; i++ {
				if next, _ := fetch(url + "/next"); next == "stop" {
					return
				}
				text, err := fetch(url + "/index.html")
				if err != nil || text != strings.Repeat("x", 3000) {
					fmt.Println(err)
					atomic.AddInt32(&errors, 1)
				}
			}
		}()
	}
	group.Wait()
	fmt.Println("errors:", errors)
}
