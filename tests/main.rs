//! The tests of the program as it is used: one binary, so that it is linked once and a real Kafka is
//! started once. `support` holds what they stand on; each other file is a subject.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod archive_entries;
#[cfg(test)]
mod bad_uploads;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod completions;
#[cfg(test)]
mod completions_shells;
#[cfg(test)]
mod config;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod denied;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod download_bombs;
#[cfg(test)]
mod download_kept;
#[cfg(test)]
mod download_names;
#[cfg(test)]
mod endless_replies;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod forward;
#[cfg(test)]
mod forward_generations;
#[cfg(test)]
mod forward_routes;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod https;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod lag;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod lost_files;
#[cfg(test)]
mod models;
#[cfg(test)]
mod models_faults;
#[cfg(test)]
mod models_types;
#[cfg(test)]
mod not_files;
#[cfg(test)]
mod other_clients;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod publisher;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod real_kafka;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod scripted_api;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod send;
#[cfg(test)]
mod send_generations;
#[cfg(test)]
mod send_raw;
#[cfg(test)]
mod send_triggers;
#[cfg(test)]
mod send_whole;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod serve_access;
#[cfg(test)]
mod serve_bodies;
#[cfg(test)]
mod serve_clients;
#[cfg(test)]
mod serve_edges;
#[cfg(test)]
mod serve_events;
#[cfg(test)]
mod serve_folder;
#[cfg(test)]
mod several_addresses;
#[cfg(test)]
mod shell_lines;
#[cfg(test)]
mod smoke;
#[cfg(test)]
mod smoke_topics;
#[cfg(test)]
mod support;
#[cfg(test)]
mod systems;
#[cfg(test)]
mod tail;
#[cfg(test)]
mod tail_group;
#[cfg(test)]
mod tail_matrix;
#[cfg(test)]
mod tail_talk;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod terminal_escapes;
#[cfg(test)]
mod terminal_resize;
#[cfg(test)]
mod text_encodings;
#[cfg(test)]
mod topics;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod unreachable_listeners;
#[cfg(test)]
mod upload;
#[cfg(test)]
mod upload_again;
#[cfg(test)]
mod upload_archives;
#[cfg(test)]
mod upload_batch;
#[cfg(test)]
mod upload_changes;
#[cfg(test)]
mod upload_curl;
#[cfg(test)]
mod upload_cut;
#[cfg(test)]
mod upload_dialects;
#[cfg(test)]
mod upload_exists;
#[cfg(test)]
mod upload_faults;
#[cfg(test)]
mod upload_lengths;
#[cfg(test)]
mod upload_meta;
#[cfg(test)]
mod upload_names;
#[cfg(test)]
mod upload_rate;
#[cfg(test)]
mod upload_strict;
#[cfg(test)]
mod upload_unsafe;
#[cfg(test)]
mod uploads;
#[cfg(test)]
mod wait;
#[cfg(test)]
mod wait_processes;
#[cfg(test)]
mod wait_race;
#[cfg(test)]
mod wait_steps;
#[cfg(test)]
mod walk_through;
