/**
 * Session parameters that keep values to be masked out of the server log: statements, their parameters, and errors.
 * The last ones are for extensions in `shared_preload_libraries`.
 */
export const noServerLogging = {
  log_statement: "none",
  log_duration: "off",
  log_min_duration_statement: "-1",
  log_min_duration_sample: "-1",
  log_transaction_sample_rate: "0",
  log_parameter_max_length: "0",
  log_parameter_max_length_on_error: "0",
  log_min_error_statement: "panic",
  log_min_messages: "panic",
  log_lock_waits: "off",
  debug_print_parse: "off",
  debug_print_rewritten: "off",
  debug_print_plan: "off",
  "auto_explain.log_min_duration": "-1",
  "pgaudit.log": "none",
};
