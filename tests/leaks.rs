//! The reader that borrows librdkafka's memory, under valgrind: nothing is read that is not there, and
//! nothing is lost.

use crate::support::peers;
use crate::support::run::Running;
use crate::support::stack::Stack;

/// What the Rust binding keeps of each client: the reference to a queue, and the cluster's id where that
/// was asked for. A program makes one or two of them.
const BINDING: &str = "{
   main-queue
   Memcheck:Leak
   match-leak-kinds: definite
   fun:calloc
   fun:rd_calloc
   fun:rd_kafka_queue_new0
   fun:*new_context_arc*
   ...
}
{
   cluster-id
   Memcheck:Leak
   match-leak-kinds: definite
   ...
   fun:rd_kafka_clusterid
   ...
}
";

#[test]
fn reading_and_writing_lose_no_memory_and_touch_none_that_is_not_theirs() {
    if !peers::has("valgrind") {
        return;
    }
    let stack = Stack::start();
    let lines: String =
        (0..2_000).map(|n| format!("{{\"value\":{{\"n\":{n}}},\"key\":\"k{n}\"}}\n")).collect();
    let input = stack.environment.write("in", lines);
    let input = input.to_str().unwrap();
    let binding = stack.environment.write("binding.supp", BINDING);
    for (words, lines) in [
        (&["send", "raw", "xai-events", "--json", input][..], 1),
        (&["tail", "xai-events", "--until", "end", "-o", "json"], 2_000),
        (&["tail", "xai-events", "bias", "--last", "5", "--jq", ".n"], 5),
        (
            &[
                "tail",
                "xai-events",
                "--group",
                "g",
                "--from",
                "beginning",
                "-n",
                "100",
                "-o",
                "raw",
            ],
            100,
        ),
    ] {
        let dwctl = stack.environment.dwctl(words.iter().copied());
        let mut command = stack.environment.command("valgrind");
        command
            .args(["-q", "--error-exitcode=99", "--leak-check=full"])
            .args(["--errors-for-leak-kinds=definite", "--show-leak-kinds=definite"])
            .arg(format!("--suppressions={}", binding.display()))
            .arg(dwctl.get_program())
            .args(dwctl.get_args())
            .args(["-q", "-b", &stack.brokers]);
        let outcome = Running::start(command).finish().expect(0);
        assert_eq!(outcome.out().lines().count(), lines, "{words:?}");
    }
}
