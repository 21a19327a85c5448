/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands, one a file. argv[0] is the command's name; the exit code is 0 fine, 1 the thing
 * is bad, 2 usage. */
#ifndef SCORED_CLI_COMMANDS_H
#define SCORED_CLI_COMMANDS_H

int cmd_serve(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_ops(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_fetch(int argc, char **argv);
int cmd_sign(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_health(int argc, char **argv);

enum { EXIT_FINE = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

#endif
