/* Clients, brokers and receipts by the names that requests give them. */
#include "agent.h"

named clients[MOST], brokers[MOST];
named_receipt receipts[MOST_RECEIPTS];
size_t receipt_count;

void *find(const named *list, const char *name) {
    for (size_t i = 0; i < MOST; i++) {
        if (list[i].object != NULL && strcmp(list[i].name, name) == 0) return list[i].object;
    }
    return NULL;
}

void enter(named *list, const char *name, void *object) {
    for (size_t i = 0; i < MOST; i++) {
        if (list[i].object == NULL || strcmp(list[i].name, name) == 0) {
            snprintf(list[i].name, sizeof list[i].name, "%s", name);
            list[i].object = object;
            return;
        }
    }
    exit(3);
}

void enter_receipt(const char *client, const char *name, int number, uint64_t receipt) {
    if (receipt_count == MOST_RECEIPTS) exit(3);
    char *to = receipts[receipt_count].name;
    size_t size = sizeof receipts[receipt_count].name;
    if (number < 0) snprintf(to, size, "%s %s", client, name);
    else snprintf(to, size, "%s %s%d", client, name, number);
    receipts[receipt_count].settled = false;
    receipts[receipt_count++].receipt = receipt;
}

size_t receipt_named(const char *client, const char *name, int number) {
    char wanted[64];
    if (number < 0) snprintf(wanted, sizeof wanted, "%s %s", client, name);
    else snprintf(wanted, sizeof wanted, "%s %s%d", client, name, number);
    for (size_t i = receipt_count; i-- > 0;) {
        if (strcmp(receipts[i].name, wanted) == 0) return i;
    }
    exit(3);
}
