/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest firmware of the other chip: runs the self-test of the provider, which needs all of
 * its library's crypto. Built by tests/install/run.sh against the installed library alone.
 */
#include <cos/secure.h>
#include <stdio.h>

int main(void)
{
    unsigned all = COS_SELF_TEST_AES | COS_SELF_TEST_DES3 | COS_SELF_TEST_SHA256;

    printf("%d\n", (int)cos_crypto_self_test(&cos_crypto_tomcrypt, all));
    return 0;
}
