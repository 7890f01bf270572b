//! What runs in the account: the containers' processes as the platform's images have them, and the work of the GPU
//! fleets. The services know nothing of Laravel; they ask here what a container does next.
//!
//! * `command_line`: from entry point and command to the commands that run
//! * `artisan_commands`, `database_commands`, `migrations`: what `php artisan` does, and the migrations of the image
//! * `long_running`: nginx, php-fpm, the scheduler, the queue worker and Next.js
//! * `process`: a running one, whichever it is
//! * `bundles`: what a GPU node does with a bundle; `asset_ops`: the backend's audit log of bundles
//! * `media`: videos of customers, from the upload to the result
//! * `workload`: jobs, queues and GPU workers, and the metrics that the backend publishes of them

pub(crate) mod artisan_commands;
pub(crate) mod asset_ops;
pub(crate) mod bundles;
pub(crate) mod command_line;
pub(crate) mod database_commands;
pub(crate) mod long_running;
pub(crate) mod media;
pub(crate) mod migrations;
pub(crate) mod process;
pub(crate) mod webhook;
pub(crate) mod workload;
