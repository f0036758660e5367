//! A name with several addresses, on any machine: a library that is loaded before the system's
//! answers for one name, with the addresses that a variable lists. Made with the C compiler that the
//! build needs anyway.

use std::path::PathBuf;
use std::process::Command;

use super::environment::Environment;
use super::peers;

/// The name that has several addresses.
pub const NAME: &str = "several.test";

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    resolver real = (resolver) dlsym(RTLD_NEXT, "getaddrinfo");
    if (node == NULL || strcmp(node, "several.test") != 0) {
        return real(node, service, hints, found);
    }
    char *list = strdup(getenv("TEST_ADDRESSES"));
    struct addrinfo **end = found;
    for (char *one = strtok(list, ","); one != NULL; one = strtok(NULL, ",")) {
        int failed = real(one, service, hints, end);
        if (failed != 0) return failed;
        while (*end != NULL) end = &(*end)->ai_next;
    }
    free(list);
    return 0;
}
"#;

/// An environment in which [`NAME`] has these addresses, in their order; `None` without a compiler.
pub fn with_addresses(addresses: &[&str]) -> Option<Environment> {
    if !peers::has("cc") {
        return None;
    }
    let environment = Environment::new();
    let library = build(&environment);
    let environment = environment.set("LD_PRELOAD", library.to_str().unwrap());
    Some(environment.set("TEST_ADDRESSES", &addresses.join(",")))
}

fn build(environment: &Environment) -> PathBuf {
    let source = environment.write("resolver.c", SOURCE);
    let library = environment.path("resolver.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
    let built = compiler.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}
