# Makes contrib/asterisk_exporter.service the unit of a package: sed -f packaging/unit.sed
1c\
# Of the package: an update replaces this file.  Change it by `systemctl edit asterisk_exporter`.
/^Description=/a\
Documentation=man:asterisk_exporter(1)
s|/usr/local/bin/|/usr/bin/|
/^After=/a\
# `asterisk_exporter setup` writes it; until then there is nothing to start.\
ConditionPathExists=/etc/asterisk_exporter/config.yml
# systemd takes a static user of that name in place of a dynamic one, and keeps all else that DynamicUser= means.
/^DynamicUser=yes$/a\
# The package makes it (sysusers.d), so that it may read /etc/asterisk_exporter, which others may not.\
User=asterisk_exporter
