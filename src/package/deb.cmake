# SPDX-License-Identifier: Apache-2.0
# Run by CPack in front of packing: what Debian wants of every package, beside the files that are installed everywhere.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(doc ${root}/usr/share/doc/scored)
file(COPY ${CMAKE_CURRENT_LIST_DIR}/copyright DESTINATION ${doc})
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${doc}/changelog "scored (${CPACK_PACKAGE_VERSION}) stable; urgency=medium\n\n  * See the history of the sources.\n\n"
  " -- ${CPACK_PACKAGE_CONTACT}  ${now}\n")
execute_process(COMMAND gzip -9nf ${doc}/changelog ${root}/usr/share/man/man1/scored.1 COMMAND_ERROR_IS_FATAL ANY)
# its owner may write secrets there
file(WRITE ${root}/usr/share/lintian/overrides/scored "scored: non-standard-file-perm 0640 != 0644 [etc/scored/scored.env]\n")
