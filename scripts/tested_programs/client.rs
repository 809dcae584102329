//! Fetches pages from four threads until it is told to stop:
//! client URL COUNT (a count of 0: no other limit).
use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::thread;

fn fetch(place: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(place)?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |parts| parts.1);
    Ok(body.to_string())
}

fn work(place: &str, count: u32) -> u32 {
    let mut errors = 0;
    let mut rounds = 0;
    while count == 0 || rounds < count {
        rounds += 1;
        match fetch(place, "/next") {
            Ok(text) if text == "stop" => break,
            Ok(_) => (),
            Err(_) => errors += 1,
        }
        match fetch(place, "/index.html") {
            Ok(text) if text == "x".repeat(3000) => (),
            other => {
                println!("{other:?}");
                errors += 1;
            }
        }
    }
    errors
}

fn main() {
    let mut args = std::env::args().skip(1);
    let url = args.next().expect("a URL");
    let count = args.next().and_then(|text| text.parse().ok()).expect("a count");
    let place = url.trim_start_matches("http://").to_string();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let place = place.clone();
            thread::spawn(move || work(&place, count))
        })
        .collect();
    let errors: u32 = threads.into_iter().map(|each| each.join().unwrap()).sum();
    println!("errors: {errors}");
}
